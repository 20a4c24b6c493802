"""The model that is served: one reference, swapped as a whole."""

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Self

from msgspec import Struct

from model_service.models.loading import Model
from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import Predictor
from model_service.models.workspace import remove_as_owner
from model_service.records.features import ride_features
from model_service.records.prediction_events import prediction_of
from model_service.records.ride_events import SAMPLE
from streams.json_fields import RideId


class Files:
    """A folder that was brought for a model: it goes when nobody can predict with it any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        weakref.finalize(self, remove_as_owner, path, os.getpid())


def require_predicts(predictor: Predictor, name: str) -> None:
    """Have a model predict a ride.

    Args:
        predictor: The model.
        name: What messages call it.

    Raises:
        ModelRefused: It raises, or predicts no finite number.
    """
    try:
        (value,) = predictor.predict(ride_features([SAMPLE]))
    except Exception as error:
        raise ModelRefused(f"{name} cannot predict: {type(error).__name__}") from error
    if not isfinite(value):
        raise ModelRefused(f"{name} predicts {value}")


@dataclass(frozen=True, slots=True)
class Served:
    """A model that has predicted.

    Attributes:
        source: Where it came from, for a person.
        number: Its version in a registry; None for a model that comes from none.
        prediction: Makes a prediction event's `prediction`.
        files: Kept for as long as the model is: it may read them as late as when it predicts.
    """

    model: Model
    source: str
    number: str | None
    prediction: Callable[[float, RideId], Struct]
    files: Files | None
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def warm(
        cls, model: Model, source: str, number: str | None = None, files: Files | None = None
    ) -> Self:
        """Have a model predict, before anybody waits for it.

        Raises:
            ModelRefused: It does not.
        """
        require_predicts(model.predictor, f"the model of version {model.version}")
        return cls(model, source, number, prediction_of(model.field), files)


@dataclass(frozen=True, slots=True)
class Failure:
    """A model that could not be loaded, while an older one went on."""

    detail: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Serving:
    """What requests predict with, and how the last look for another went.

    A request reads `current` once: all of its rides are predicted by one model.
    """

    def __init__(self, served: Served) -> None:
        self.current = served
        self.failure: Failure | None = None

    def swap(self, served: Served) -> None:
        """Predict with another model from now on."""
        self.current = served
        self.failure = None
