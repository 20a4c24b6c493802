"""Models of any other flavour, through MLflow: for those who put it into the image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model_service.models.known_values import Use
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import read_mlmodel, require_trust
from model_service.models.model_inputs import column_types, frame, hidden_texts, require_predictions
from model_service.models.zone_types import ColumnType, typed
from model_service.records.features import FEATURES, Features


class PyfuncModel:
    """An MLflow pyfunc model, which takes a data frame of the columns in its signature.

    Args:
        model: Predicts a batch.
        types: Its columns, in their order.
    """

    def __init__(self, model: Any, types: Mapping[str, ColumnType]) -> None:
        self._model = model
        self._types = types

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        import numpy as np

        table = frame(list(self._types), typed(features, self._types))
        values: list[float] = np.asarray(self._model.predict(table), dtype=float).ravel().tolist()
        return values


def load_pyfunc(folder: Path, *, trusted: bool) -> PyfuncModel:
    """Load a model through MLflow.

    Raises:
        ModelRefused: It is not trusted, MLflow is not installed, it has no signature or one of
            columns that are not made here, or it cannot predict a ride.
    """
    require_trust(f"{folder} is an MLflow pyfunc model", trusted=trusted)
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise ModelRefused(
            f"{folder} has no flavour but python_function, which needs mlflow, and {error}; "
            "log the model with its scikit-learn flavour, or add mlflow to the image"
        ) from None
    signature = read_mlmodel(folder).input_types
    found = {name: [Use.HIDDEN] for name in signature or FEATURES}
    types = column_types(folder, found, signature)
    model = PyfuncModel(pyfunc.load_model(str(folder)), types)
    require_predictions(folder, model.predict, hidden_texts(found, types))
    return model
