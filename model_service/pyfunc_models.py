"""Models of any other flavour, through MLflow: for those who put it into the image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_service.errors import ModelRefused
from model_service.features import Features, to_list
from model_service.model_files import require_trust


class PyfuncModel:
    """An MLflow pyfunc model, which takes a data frame of the features."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        import numpy as np
        import pandas as pd

        frame = pd.DataFrame({name: to_list(column) for name, column in features.items()})
        values: list[float] = np.asarray(self._model.predict(frame), dtype=float).ravel().tolist()
        return values


def load_pyfunc(folder: Path, *, trusted: bool) -> PyfuncModel:
    """Load a model through MLflow.

    Raises:
        ModelRefused: It is not trusted, or MLflow is not installed.
    """
    require_trust(f"{folder} is an MLflow pyfunc model", trusted=trusted)
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise ModelRefused(
            f"{folder} has no flavour but python_function, which needs mlflow, and {error}; "
            "log the model with its scikit-learn flavour, or add mlflow to the image"
        ) from None
    return PyfuncModel(pyfunc.load_model(str(folder)))
