"""Whether the product predicts what the model predicts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from benchmarks.models import TrainedModel
from benchmarks.results import Equality
from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import TWINS, Predictor
from model_service.models.sklearn_models import load_sklearn
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from training.model import predict


def compare(name: str, model: TrainedModel, rides: Sequence[Ride]) -> list[Equality]:
    """The largest differences of each flavour from scikit-learn's predictions, in minutes."""
    expected = predict(model.pipeline, rides)
    features = ride_features(rides)
    flavors = read_mlmodel(model.folder).flavors

    def largest(flavor: str) -> float:
        values = _LOAD[flavor](model.folder, flavors[flavor]).predict(features)
        return float(np.abs(np.asarray(values) - expected).max())

    return [
        Equality(name, flavor, len(rides), largest(flavor)) for flavor in _LOAD if flavor in flavors
    ]


_LOAD: Mapping[str, Callable[..., Predictor]] = {
    **TWINS,
    "sklearn": partial(load_sklearn, trusted=False),
}
