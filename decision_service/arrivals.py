"""The wire types: prediction events in, decision events out."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from streams.errors import Reason, Rejected
from streams.json_fields import (
    RIDE_ID_ALLOWED,
    FieldRule,
    RideId,
    is_finite,
    is_object,
    is_ride_id,
    is_text,
    parse_json,
    require_fields,
    require_utf8,
)

# A prediction event has some 250 bytes. What is larger is none, and would make a case large.
MAX_EVENT_BYTES = 16_384
MAX_EVENT_ID_CHARACTERS = 512

# Of a ride, or of whatever the predictions are about.
Key = RideId


class Arrival(Struct, frozen=True, gc=False):
    """What a prediction event says: of what, and which of the needed values."""

    key: Key
    event_id: str
    values: Mapping[str, float]


def arrival_decoder(key_field: str, needed: Sequence[str]) -> Callable[[bytes], Arrival]:
    """A function that decodes a record's payload.

    It raises `Rejected` when that is too large, not UTF-8, not JSON or not a prediction event.
    Values that are not needed are passed over, as are all further fields.

    Args:
        key_field: The field of `prediction` that says what it is about.
        needed: The fields of `prediction` that count.
    """
    fields = (*_FIELDS, (("prediction", key_field), is_ride_id, RIDE_ID_ALLOWED))
    rules = {name: ((("prediction", name), is_finite, "a finite number"),) for name in needed}

    def decode(payload: bytes) -> Arrival:
        _require_size(payload)
        require_utf8(payload)
        document = parse_json(payload)
        require_fields(document, fields)
        prediction = document["prediction"]
        found = [name for name in needed if name in prediction]
        for name in found:
            require_fields(document, rules[name])
        values = {name: float(prediction[name]) for name in found}
        return Arrival(prediction[key_field], document["event_id"], values)

    return decode


def key_text(key: Key) -> str:
    """A key as one text, in which 256 and "256" differ."""
    return json.dumps(key, ensure_ascii=False)


def key_of(text: str) -> Key:
    """The key that `key_text` made a text of."""
    key: Key = json.loads(text)
    return key


def decision_event_id(name: str, version: str, key: Key) -> str:
    """The `event_id` of a decision: the same however often it is made or put."""
    return f"{name}:{version}:{key_text(key)}"


def _require_size(payload: bytes) -> None:
    if len(payload) > MAX_EVENT_BYTES:
        raise Rejected(
            Reason.INVALID_EVENT,
            f"the event has {len(payload)} bytes; it must have at most {MAX_EVENT_BYTES}",
        )


def _is_event_id(value: Any) -> bool:
    return is_text(value) and 0 < len(value) <= MAX_EVENT_ID_CHARACTERS


# From the outside in, so that a fault is named where it is.
_FIELDS: tuple[FieldRule, ...] = (
    ((), is_object, "a JSON object"),
    (("prediction",), is_object, "a JSON object"),
    (
        ("event_id",),
        _is_event_id,
        f"a non-empty string, of at most {MAX_EVENT_ID_CHARACTERS} characters",
    ),
)
