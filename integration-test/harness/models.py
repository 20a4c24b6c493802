"""Models: trained by the project's own command, logged by MLflow, called directly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.rides import Features, Put, features
from local.sample_models import run_training
from tests.s3_folders import download

# What template.yaml has each predictor say: the model's name, and the predicted field.
NAMES = {
    "duration": ("ride_duration_prediction_model", "ride_duration"),
    "tip": ("ride_tip_prediction_model", "ride_tip"),
}


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model of a run in S3, and a copy of its files here.

    Attributes:
        predictor: `duration` or `tip`.
        folder: Its files.
    """

    predictor: str
    run_id: str
    sha256: str
    experiment_id: str
    folder: Path

    @property
    def name(self) -> str:
        """The `model` of its events."""
        return NAMES[self.predictor][0]

    def values(self, rides: Sequence[Features]) -> list[float]:
        """What MLflow and scikit-learn make of rides, without any of our serving code."""
        return [float(value) for value in _load(self.folder).predict(rides)]

    def events(self, rides: Sequence[Mapping[str, Any]], puts: Sequence[Put]) -> list[Any]:
        """The whole prediction events that must come of rides."""
        values = self.values([features(event) for event in rides])
        name, field = NAMES[self.predictor]
        return [
            {
                "model": name,
                "version": self.run_id,
                "prediction": {
                    # The last digits of a sum depend on how many rides are predicted together.
                    field: pytest.approx(value, rel=1e-12),
                    "ride_id": event["ride_id"],
                },
                "event_id": f"{name}:{self.run_id}:{put.shard}:{put.sequence_number}",
            }
            for event, put, value in zip(rides, puts, values, strict=True)
        ]


@cache
def _load(folder: Path) -> Any:
    import mlflow.sklearn

    return mlflow.sklearn.load_model(str(folder))


def train(cloud: Cloud, bucket: str, folder: Path, predictor: str, rides: int) -> LoggedModel:
    """Train a model, and log it to MLflow with its artifacts in the bucket."""
    environ = {
        **cloud.environ,
        "MODEL_BUCKET": bucket,
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
    }
    result = run_training(environ, "--target", predictor, "--rides", str(rides), folder=folder)
    prefix = result["model_location"].removeprefix(f"s3://{bucket}/")
    return LoggedModel(
        predictor,
        result["run_id"],
        result["model_sha256"],
        result["experiment_id"],
        download(cloud.client("s3"), bucket, prefix, folder / result["run_id"]),
    )
