"""Models of scikit-learn, in the formats that MLflow keeps them in."""

import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from model_service.models.archives import require_bounded
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import inside, read_mlmodel, require_trust
from model_service.models.model_inputs import model_input
from model_service.models.sound_trees import require_sound_trees
from model_service.records.features import Features
from streams.errors import brief

# Types outside of skops' own list that scikit-learn's estimators are made of. The list is ours: one
# in the model's files could be written by whoever wrote the model. What `trees` makes sure of comes
# with the two kinds of trees.
TRUSTED_TYPES = (
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.KFold",
    "sklearn.tree._tree.Tree",
)

_MAX_REASON_CHARACTERS = 500


class SklearnModel:
    """A scikit-learn estimator.

    Args:
        estimator: Predicts a batch.
        shape: Makes what the estimator takes of the features.
    """

    def __init__(self, estimator: Any, shape: Callable[[Features], Any]) -> None:
        self.estimator = estimator
        self._shape = shape

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        answer = self.estimator.predict(self._shape(features))
        values: list[float] = np.asarray(answer, dtype=float).ravel().tolist()
        return values


def load_sklearn(folder: Path, flavor: dict[str, Any], *, trusted: bool) -> SklearnModel:
    """Load the scikit-learn flavour of a model.

    Raises:
        ModelRefused: Its format is not allowed, it was trained with another minor version of
            scikit-learn, or on features that are not made here.
    """
    _require_installed(folder)
    _require_same_sklearn(flavor.get("sklearn_version"))
    path = inside(folder, flavor.get("pickled_model"))
    serialization = flavor.get("serialization_format")
    if serialization == "skops":
        estimator = _load_skops(path)
    elif serialization in ("pickle", "cloudpickle"):
        require_trust(f"{path} is a {serialization} file", trusted=trusted)
        estimator = load_pickle(path.read_bytes())
    else:
        raise ModelRefused(
            f"{path} has serialization_format {brief(repr(serialization))}; "
            "it must be skops, or pickle or cloudpickle where those are allowed"
        )
    return served(estimator, path, read_mlmodel(folder).input_types)


def served(estimator: Any, path: Path, signature: Mapping[str, str]) -> SklearnModel:
    """Return the model that serves an estimator, which predicts in one thread from now on.

    Args:
        estimator: Any that predicts.
        path: Where it is, for messages.
        signature: MLflow's types of its columns by name; empty if the model has none.

    Raises:
        ModelRefused: See `predictor_of`.
    """
    _require_predicts(estimator, path)
    _use_one_thread(estimator)
    return predictor_of(estimator, path, signature)


def predictor_of(estimator: Any, path: Path, signature: Mapping[str, str]) -> SklearnModel:
    """Return the model that predicts with an estimator, which stays as it is.

    Args:
        estimator: Any that predicts.
        path: Where it is, for messages.
        signature: MLflow's types of its columns by name; empty if the model has none.

    Raises:
        ModelRefused: It was trained on features or values that are not made here, nothing shows
            the type of its zones, or it cannot predict a ride.
    """
    return SklearnModel(estimator, model_input(estimator, path, signature))


def _require_predicts(estimator: Any, path: Path) -> None:
    if not (hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
        raise ModelRefused(
            f"{path} holds a {type(estimator).__name__}, which does not predict; "
            "log one scikit-learn estimator, such as a pipeline from features to prediction"
        )


def _require_installed(folder: Path) -> None:
    if find_spec("sklearn") is None:
        raise ModelRefused(
            f"the model in {folder} needs scikit-learn, and this image serves twins only: build "
            "it with SERVING=all, or release the run with `make release`, which makes one"
        )


def _require_same_sklearn(trained_with: Any) -> None:
    import sklearn

    installed, named = str(sklearn.__version__), brief(str(trained_with))
    if str(trained_with).split(".")[:2] != installed.split(".")[:2]:
        raise ModelRefused(
            f"the model was trained with scikit-learn {named}, and {installed} is "
            "installed, which may predict other values without an error: train it again with "
            f"scikit-learn {installed}, or build the image with scikit-learn {named}"
        )


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
            "if they are safe, add them to TRUSTED_TYPES in model_service/models/sklearn_models.py"
        ) from None
    require_sound_trees(estimator, path)
    return estimator


def load_pickle(data: bytes) -> Any:
    """What a trusted pickle holds.

    Raises:
        ModelRefused: It was made with another minor version of scikit-learn.
    """
    from sklearn.exceptions import InconsistentVersionWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InconsistentVersionWarning)
        estimator = pickle.loads(data)  # noqa: S301 - pinned, or allowed in so many words
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            _require_same_sklearn(warning.message.original_sklearn_version)
    return estimator


def _use_one_thread(estimator: Any) -> None:
    # A thread pool costs more than it gives on batches of a stream, and Lambda has few cores.
    # Histogram-based boosting has no `n_jobs`, and uses OpenMP.
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="openmp")
    jobs = [name for name in estimator.get_params() if name.split("__")[-1] == "n_jobs"]
    estimator.set_params(**dict.fromkeys(jobs, 1))
