"""Prediction events, and their JSON, a batch at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.json_fields import RideId

# What leaves a value open. In JSON, it is always escaped.
_HOLE: Final[Any] = msgspec.Raw(b"\0")
# The event's ID is the last of its fields.
_END = '"}'

_encode_lines = msgspec.json.Encoder().encode_lines


class PredictionEvent(Struct, frozen=True, gc=False):
    """What a record of the output stream says.

    `prediction` holds the predicted value (`ride_duration`: minutes) and the `ride_id` with the
    type it came with. `event_id` is the same each time the same source record is processed by the
    same model version, so that consumers can drop duplicates.
    """

    model: str
    version: str
    prediction: Struct
    event_id: str


def prediction_of(field: str) -> Callable[[float, RideId], Struct]:
    """The type of a prediction event's `prediction`.

    Args:
        field: What the predicted value is called in JSON, such as `ride_duration`.
    """
    return msgspec.defstruct(
        "Prediction",
        [("value", float), ("ride_id", RideId)],
        rename={"value": field},
        frozen=True,
        gc=False,
    )


class PredictionEncoder:
    """Encodes `PredictionEvent`s of one model.

    Args:
        model: Its name.
        version: Its version.
        field: What the predicted value is called in JSON.
    """

    def __init__(self, model: str, version: str, field: str) -> None:
        event = PredictionEvent(
            model, version, prediction_of(field)(_HOLE, _HOLE), f"{model}:{version}:"
        )
        self._parts = msgspec.json.encode(event).decode().removesuffix(_END).split("\0")

    def encode(
        self, values: Sequence[float], ride_ids: Sequence[RideId], positions: Iterable[str]
    ) -> list[bytes]:
        """Encode an event for each ride.

        Args:
            values: What was predicted, finite.
            ride_ids: Whose it is.
            positions: What ends the event's ID: the record's position, which JSON has as it is.
        """
        before_value, before_ride_id, before_position = self._parts
        return [
            f"{before_value}{value}{before_ride_id}{ride_id}{before_position}{position}{_END}".encode()
            for value, ride_id, position in zip(
                _texts(values), _texts(ride_ids), positions, strict=True
            )
        ]


def _texts(values: Sequence[RideId | float]) -> list[str]:
    """Encode each value as JSON."""
    # A line break within a text is escaped.
    return _encode_lines(values).decode().split("\n")[:-1]
