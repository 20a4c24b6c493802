"""Model files -> predict(features) -> values.

The flavour's own library loads the model; mlflow is not imported unless no other flavour is there
(its import takes longer than everything else at a cold start).
"""

import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from model_service.archives import require_bounded
from model_service.errors import ModelRefused, brief
from model_service.features import EXAMPLE_FEATURES, Features
from model_service.mlmodel import MLMODEL, MLmodel
from model_service.s3 import MAX_METADATA_BYTES
from model_service.trees import require_sound_trees

# Types outside of skops' own list that scikit-learn's estimators are made of. The list is ours: one
# in the model's files could be written by whoever wrote the model. What `trees` makes sure of comes
# with the two kinds of trees.
TRUSTED_TYPES = (
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


_MAX_NAME_CHARACTERS = 255  # most file systems' own limit
_MAX_REASON_CHARACTERS = 500


class Predictor(Protocol):
    """A model in memory."""

    def predict(self, features: Sequence[Features]) -> Sequence[float]:
        """One value for each element of `features`, in their order.

        Raises:
            Exception: Whatever the model raises.
        """
        ...


class BatchModel:
    """A scikit-learn estimator or an MLflow pyfunc model: anything that predicts a batch."""

    def __init__(self, model: Any, *, as_table: bool = False) -> None:
        self._model = model
        self._as_table = as_table

    def predict(self, features: Sequence[Features]) -> Sequence[float]:
        """One value for each element of `features`, in their order."""
        # Imported late, as scikit-learn is: a model of another flavour needs neither.
        import numpy as np

        answer = self._model.predict(self._input(features))
        values: list[float] = np.asarray(answer, dtype=float).ravel().tolist()
        return values

    def _input(self, features: Sequence[Features]) -> Any:
        if not self._as_table:
            return features
        import pandas as pd

        return pd.DataFrame.from_records(list(features))


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
        if "sklearn" in flavors:
            return _load_sklearn(folder, flavors["sklearn"], trusted=trusted)
        if "python_function" in flavors:
            return _load_pyfunc(folder, trusted=trusted)
    except ModelRefused:
        raise
    except Exception as error:
        # A damaged or crafted file can fail anywhere inside of its reader.
        reason = brief(" ".join(f"{type(error).__name__}: {error}".split()), _MAX_REASON_CHARACTERS)
        raise ModelRefused(f"the model in {folder} cannot be loaded: {reason}") from error
    raise ModelRefused(
        f"{folder / MLMODEL} has the flavours {brief(str(sorted(flavors)))}; "
        "it must have sklearn or python_function"
    )


def read_mlmodel(folder: Path) -> MLmodel:
    """The `MLmodel` file of a folder.

    Raises:
        ModelRefused: It is not the file of a model.
    """
    path = _inside(folder, MLMODEL)
    if path.stat().st_size > MAX_METADATA_BYTES:
        raise ModelRefused(f"{path} is larger than {MAX_METADATA_BYTES} bytes")
    return MLmodel.parse(path.read_bytes(), str(path))


def _load_sklearn(folder: Path, flavor: dict[str, Any], *, trusted: bool) -> Predictor:
    _require_same_sklearn(flavor.get("sklearn_version"))
    path = _inside(folder, flavor.get("pickled_model"))
    serialization = flavor.get("serialization_format")
    if serialization == "skops":
        estimator = _load_skops(path)
    elif serialization in ("pickle", "cloudpickle"):
        _require_trust(f"{path} is a {serialization} file", trusted=trusted)
        estimator = _load_pickle(path)
    else:
        raise ModelRefused(
            f"{path} has serialization_format {brief(repr(serialization))}; "
            "it must be skops, or pickle or cloudpickle where those are allowed"
        )
    _require_predicts(estimator, path)
    _require_known_features(estimator, path)
    _use_one_thread(estimator)
    return BatchModel(estimator)


def _require_predicts(estimator: Any, path: Path) -> None:
    if not (hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
        raise ModelRefused(
            f"{path} holds a {type(estimator).__name__}, which does not predict; "
            "log one scikit-learn estimator, such as a pipeline from features to prediction"
        )


def _require_known_features(estimator: Any, path: Path) -> None:
    """Refuse a model of features that are not made here, which a DictVectorizer takes for 0."""
    for part in (estimator, *estimator.get_params(deep=True).values()):
        names = getattr(part, "feature_names_", ())
        unknown = {name for name in names if not _is_known(name, getattr(part, "separator", "="))}
        if unknown:
            example = brief(repr(min(unknown)))
            raise ModelRefused(
                f"{path} was trained on {len(unknown)} features, such as {example}, which "
                "model_service/features.py does not make; it makes "
                + ", ".join(f"{name} ({type(v).__name__})" for name, v in EXAMPLE_FEATURES.items())
            )


def _is_known(name: str, separator: str) -> bool:
    """Whether a DictVectorizer's column is one of a feature made here, as text or as a number."""
    feature, is_text, _ = name.partition(separator)
    return isinstance(EXAMPLE_FEATURES.get(feature), str if is_text else float)


def _require_same_sklearn(trained_with: Any) -> None:
    import sklearn

    installed, named = str(sklearn.__version__), brief(str(trained_with))
    if str(trained_with).split(".")[:2] != installed.split(".")[:2]:
        raise ModelRefused(
            f"the model was trained with scikit-learn {named}, and {installed} is "
            "installed, which may predict other values without an error: train it again with "
            f"scikit-learn {installed}, or build the image with scikit-learn {named}"
        )


def _inside(folder: Path, name: Any) -> Path:
    path = folder / str(name)
    if not (_can_be_shown(str(name)) and _is_file_inside(folder, path)):
        raise ModelRefused(
            f"{folder / MLMODEL} names the model file {brief(repr(name))}, "
            "which is not a file of its folder"
        )
    return path


def _can_be_shown(name: str) -> bool:
    # It is in the path, and so in each message about the model's file.
    return len(name) <= _MAX_NAME_CHARACTERS and name.isprintable()


def _is_file_inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve()) and path.is_file()


def _load_skops(path: Path) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    require_bounded(path)
    try:
        estimator = skops.io.load(path, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise ModelRefused(
            f"{path} holds types that are not on the list of trusted types: "
            f"{brief(str(error), _MAX_REASON_CHARACTERS)}; "
            "if they are safe, add them to TRUSTED_TYPES in model_service/predictors.py"
        ) from None
    require_sound_trees(estimator, path)
    return estimator


def _load_pickle(path: Path) -> Any:
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as caught, path.open("rb") as file:
        warnings.simplefilter("always", InconsistentVersionWarning)
        estimator = pickle.load(file)  # noqa: S301 - pinned, or allowed in so many words
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            _require_same_sklearn(warning.message.original_sklearn_version)
    return estimator


def _load_pyfunc(folder: Path, *, trusted: bool) -> Predictor:
    _require_trust(f"{folder} is an MLflow pyfunc model", trusted=trusted)
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise ModelRefused(
            f"{folder} has no flavour but python_function, which needs mlflow, and {error}; "
            "log the model with its scikit-learn flavour, or add mlflow to the image"
        ) from None
    return BatchModel(pyfunc.load_model(str(folder)), as_table=True)


def _require_trust(what: str, *, trusted: bool) -> None:
    if not trusted:
        raise ModelRefused(
            f"{what}, which can run any code when it is loaded; log the model in skops format, "
            "pin this one with MODEL_SHA256, or set ALLOW_PICKLE=True"
        )


def _use_one_thread(estimator: Any) -> None:
    # A thread pool costs more than it gives on batches of a stream, and Lambda has few cores.
    jobs = [name for name in estimator.get_params() if name.split("__")[-1] == "n_jobs"]
    estimator.set_params(**dict.fromkeys(jobs, 1))
