"""Model files -> predict(features) -> values.

A model's flavours, as its `MLmodel` names them, are tried in this order: weights, which need no
library; ONNX; scikit-learn; anything else through MLflow. The flavour's own library loads it, and
none but that library is imported. The first two start and predict fastest.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from model_service.models.mlmodel import MLMODEL
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import read_mlmodel
from model_service.models.onnx_models import load_onnx
from model_service.models.pyfunc_models import load_pyfunc
from model_service.models.sklearn_models import load_sklearn
from model_service.models.weights import FLAVOR as WEIGHTS
from model_service.models.weights import load_linear
from model_service.records.features import Features
from streams.errors import brief

_MAX_REASON_CHARACTERS = 500


class Predictor(Protocol):
    """A model in memory."""

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order.

        Raises:
            Exception: Whatever the model raises.
        """
        ...


# What training makes of a model besides scikit-learn's own flavour, in the order of preference.
TWINS: Final[Mapping[str, Callable[[Path, Mapping[str, Any]], Predictor]]] = {
    WEIGHTS: load_linear,
    "onnx": load_onnx,
}


def load_predictor(folder: Path, *, trusted: bool) -> Predictor:
    """Load the model of a folder that MLflow wrote.

    Args:
        folder: Holds `MLmodel` and the files it names.
        trusted: Whether formats that run code when loaded are allowed.

    Raises:
        ModelRefused: Its format is not allowed, or not known, or it was trained with another
            minor version of scikit-learn; the message says what to do.
    """
    flavors = read_mlmodel(folder).flavors
    try:
        for name, load in TWINS.items():
            if name in flavors:
                return load(folder, flavors[name])
        if "sklearn" in flavors:
            return load_sklearn(folder, flavors["sklearn"], trusted=trusted)
        if "python_function" in flavors:
            return load_pyfunc(folder, trusted=trusted)
    except ModelRefused:
        raise
    except Exception as error:
        # A damaged or crafted file can fail anywhere inside of its reader.
        reason = brief(" ".join(f"{type(error).__name__}: {error}".split()), _MAX_REASON_CHARACTERS)
        raise ModelRefused(f"the model in {folder} cannot be loaded: {reason}") from error
    raise ModelRefused(
        f"{folder / MLMODEL} has the flavours {brief(str(sorted(flavors)))}; "
        f"it must have {', '.join(TWINS)}, sklearn or python_function"
    )
