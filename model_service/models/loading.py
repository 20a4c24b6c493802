"""Bring the model that the settings name into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.config import Config

from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import Predictor, load_predictor
from model_service.models.run_artifacts import fetch_model
from model_service.records.features import Features, ride_features
from model_service.records.ride_events import Ride
from model_service.settings import Settings
from streams.connect import make_client
from streams.errors import OUTAGES, SettingsError

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5})


@dataclass(frozen=True, slots=True)
class Model:
    """A model in memory, and what prediction events say of it."""

    name: str
    version: str
    field: str
    predictor: Predictor

    def values(self, rides: Sequence[Ride]) -> Sequence[float]:
        """Predict a value for each ride.

        Raises:
            Exception: The model raises, or returns more or fewer values.
        """
        return self.values_of(ride_features(rides), len(rides))

    def values_of(self, features: Features, count: int) -> Sequence[float]:
        """Predict a value for each of `count` rides, by their features.

        Raises:
            Exception: The model raises, or returns more or fewer values.
        """
        values = self.predictor.predict(features)
        if len(values) != count:
            raise ValueError(f"{len(values)} predictions for {count} rides")
        return values

    def predicts(self, ride: Ride) -> bool:
        """Return whether the model predicts a value for a ride.

        Raises:
            MemoryError, OSError: Memory, a disk or a network fails the model.
        """
        try:
            self.values([ride])
        except OUTAGES:
            raise
        except Exception:
            return False
        return True


def load_model(settings: Settings) -> Model:
    """Fetch and load the model that the settings name.

    Raises:
        SettingsError: No run ID is set, and the model names none.
        ModelNotFound: There is no model where the settings say.
        ModelRefused: The model must not be loaded.
    """
    return model_in(bring_model(settings), settings)


def bring_model(settings: Settings) -> Path:
    """The folder of the model that the settings name, brought from S3 if it is there.

    Raises:
        ModelNotFound: There is no model where the settings say.
        ModelRefused: It is not the one that is pinned, or its files are not those of a model.
    """
    return fetch_model(settings, lambda: make_client("s3", settings.region, _PATIENT))


def model_in(folder: Path, settings: Settings) -> Model:
    """Load the model of a folder, under the names and the trust that the settings give it.

    Raises:
        SettingsError: No run ID is set, and the model names none.
        ModelRefused: The model must not be loaded.
    """
    version = settings.run_id or read_mlmodel(folder).run_id
    if version is None:
        raise SettingsError(
            f"RUN_ID is not set, and the model in {settings.model_location} names no run; "
            "set RUN_ID, which is the version in prediction events"
        )
    return Model(
        name=settings.model_name,
        version=version,
        field=settings.prediction_field,
        predictor=load_predictor(folder, trusted=settings.trusts_pickles),
    )
