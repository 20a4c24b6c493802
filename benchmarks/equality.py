"""Whether the product predicts what the model predicts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.models import TrainedModel
from benchmarks.results import Equality
from model_service.events import Ride
from model_service.features import ride_features
from model_service.predictors import load_predictor
from training.model import predict


def compare(name: str, model: TrainedModel, rides: Sequence[Ride]) -> list[Equality]:
    """The largest differences of both flavours from scikit-learn's predictions, in minutes."""
    expected = predict(model.pipeline, rides)

    def largest(folder: Path) -> float:
        values = load_predictor(folder, trusted=False).predict(ride_features(rides))
        return float(np.abs(np.asarray(values) - expected).max())

    return [
        Equality(name, flavor, len(rides), largest(folder))
        for flavor, folder in (("ONNX", model.folder), ("scikit-learn", model.without_twin))
    ]
