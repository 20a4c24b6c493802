"""Rides in, answers out: minutes for a ride, a prediction event for a ride event."""

import hashlib
import logging
from collections.abc import Sequence
from math import isfinite

import msgspec
from msgspec import Struct

from model_service.records.prediction_events import PredictionEvent
from model_service.records.ride_events import Ride, RideEvent
from streams.errors import Reason, place_of
from web_service.serving import Served

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_EVENT_ID_CHARACTERS = 32


class ModelFailed(Exception):
    """The model does not predict rides that are right.

    Attributes:
        reason: As in a rejection of the stream.
        detail: One line for a person.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def answer_name(field: str) -> str:
    """What a ride's prediction is called, such as `duration` where events say `ride_duration`."""
    return field.removeprefix("ride_")


def predict(served: Served, items: Sequence[Ride | RideEvent]) -> list[dict[str, object] | Struct]:
    """Predict rides in one call; an answer for each, in their order.

    Raises:
        ModelFailed: The model raises, or predicts what is no number.
    """
    values = _values(served, [item if isinstance(item, Ride) else item.ride for item in items])
    name, version = answer_name(served.model.field), served.model.version
    return [
        {name: value, "model_version": version}
        if isinstance(item, Ride)
        else _event(served, item, value)
        for item, value in zip(items, values, strict=True)
    ]


def _values(served: Served, rides: Sequence[Ride]) -> Sequence[float]:
    if not rides:
        return []
    try:
        values = served.model.values(rides)
    except Exception as error:
        # What it says may hold a ride: neither logged nor shown.
        logger.error("the model failed on %d rides: %s", len(rides), place_of(error))
        raise ModelFailed(Reason.MODEL_ERROR, "the model failed on these rides") from None
    for index, value in enumerate(values):
        if not isfinite(value):
            raise ModelFailed(
                Reason.NOT_FINITE, f"the prediction at {index} is {value}; it must be finite"
            )
    return values


def _event(served: Served, event: RideEvent, value: float) -> PredictionEvent:
    name, version = served.model.name, served.model.version
    # The same for the same event by the same version: there is no record to take a place from.
    digest = hashlib.sha256(_encode(event)).hexdigest()[:_EVENT_ID_CHARACTERS]
    return PredictionEvent(
        name, version, served.prediction(value, event.ride_id), f"{name}:{version}:http:{digest}"
    )
