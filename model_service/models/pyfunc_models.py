"""Models of any other flavour, through MLflow: for those who put it into the image."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import require_trust
from model_service.models.model_inputs import frame
from model_service.models.zone_types import SINGLE_ZONES, integers_by_trial, zone_trial
from model_service.records.features import Features, with_integers

_REMEDY = (
    "Train it on what records/features.py makes, and log it with a signature in which PU and "
    "DO are string or long"
)


class PyfuncModel:
    """An MLflow pyfunc model, which takes a data frame of the features.

    Args:
        model: Predicts a batch.
        integers: Zones that it takes as integers.
    """

    def __init__(self, model: Any, integers: Collection[str] = ()) -> None:
        self._model = model
        self._integers = integers

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        import numpy as np

        table = frame(list(features), with_integers(features, self._integers))
        values: list[float] = np.asarray(self._model.predict(table), dtype=float).ravel().tolist()
        return values


def load_pyfunc(folder: Path, *, trusted: bool) -> PyfuncModel:
    """Load a model through MLflow.

    Raises:
        ModelRefused: It is not trusted, MLflow is not installed, or the type of zones that the
            model takes cannot be found out.
    """
    require_trust(f"{folder} is an MLflow pyfunc model", trusted=trusted)
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise ModelRefused(
            f"{folder} has no flavour but python_function, which needs mlflow, and {error}; "
            "log the model with its scikit-learn flavour, or add mlflow to the image"
        ) from None
    model = pyfunc.load_model(str(folder))
    integers = integers_by_trial(
        PyfuncModel(model).predict, zone_trial(), SINGLE_ZONES, remedy=_REMEDY
    )
    return PyfuncModel(model, integers)
