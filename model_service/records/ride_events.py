"""The wire types: ride events in, prediction events out, rejections aside."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from streams.errors import Reason, Rejected
from streams.json_fields import (
    MAX_PARTITION_KEY_CHARACTERS,
    RIDE_ID_ALLOWED,
    FieldRule,
    RideId,
    _is_integer,
    is_finite,
    is_object,
    is_ride_id,
    parse_json,
    require_fields,
    require_utf8,
)

# What a record may have unless its stream is configured for more (API reference, CreateStream:
# MaxRecordSizeInKiB). To say what is wrong with an event takes some fifty times its size in memory.
MAX_EVENT_BYTES = 1_048_576


class Ride(Struct, frozen=True, gc=False):
    """One taxi ride, as known when it starts. Field names are those of the TLC trip records.

    Attributes:
        PULocationID: TLC zone where the ride starts.
        DOLocationID: TLC zone where it is to end.
        trip_distance: Miles, finite, at least 0.
    """

    PULocationID: int
    DOLocationID: int
    trip_distance: Annotated[float, Meta(ge=0)]


# Any model should predict this ride, from examples/ride.json.
SAMPLE = Ride(PULocationID=130, DOLocationID=205, trip_distance=3.66)


class RideEvent(Struct, frozen=True, gc=False):
    """What a record of the input stream says; further fields are ignored."""

    ride: Ride
    ride_id: int | Annotated[str, Meta(min_length=1, max_length=MAX_PARTITION_KEY_CHARACTERS)]


def decode_ride_event(payload: bytes) -> RideEvent:
    """Decode one record's payload.

    Raises:
        Rejected: It is too large, not UTF-8, not JSON or not a ride event.
    """
    if len(payload) > MAX_EVENT_BYTES:
        raise Rejected(
            Reason.INVALID_EVENT,
            f"the event has {len(payload)} bytes; it must have at most {MAX_EVENT_BYTES}",
        )
    try:
        event = _decode(payload)
    except (ValueError, RecursionError) as error:
        raise _diagnose(payload, str(error)) from None
    if not _are_sound([payload], [event]):
        require_utf8(payload)
        require_fields(parse_json(payload), _FIELDS)
    return event


def decode_ride_events(payloads: Sequence[bytes]) -> list[RideEvent] | None:
    """Decode the payloads of a batch, if a glance shows that each is a ride event.

    Returns:
        An event for each payload; None where one may be something else, which
        `decode_ride_event` is to look at by itself.
    """
    try:
        events = list(map(_decode, payloads))
    except (ValueError, RecursionError):
        return None
    return events if _are_sound(payloads, events) else None


_decode = msgspec.json.Decoder(RideEvent).decode


def _diagnose(payload: bytes, error: str) -> Rejected:
    """Say what is wrong with a payload that did not decode. Off the hot path, so it may be slow."""
    try:
        require_utf8(payload)
        require_fields(parse_json(payload), _FIELDS)
    except Rejected as rejected:
        return rejected
    # Every field that counts is fine: the fault is in a field that is ignored otherwise.
    return Rejected(Reason.INVALID_JSON, f"the data is not JSON: {error}")


def _are_sound(payloads: Sequence[bytes], events: Sequence[RideEvent]) -> bool:
    """Whether a glance at decoded payloads shows what the decoder does not look for.

    That is UTF-8 in fields that it skips, fields of one name, of which it takes the last, and how
    long the event and its ID are. All payloads are looked at as one text: if each has a name so
    often at least, and all have it no more often in all, each has it just so often.
    """
    text = b"\n".join(payloads)
    longest = max(map(len, payloads), default=0)
    # No more names than must be there, so none twice and none skipped; and no room for a long ID.
    if text.count(b":") == _COLONS * len(events) and longest <= MAX_PARTITION_KEY_CHARACTERS:
        return True
    return (
        longest <= MAX_EVENT_BYTES
        and not _may_repeat(text, len(events))
        and _is_utf8(text)
        and all(_is_key(event.ride_id) for event in events)
    )


def _may_repeat(text: bytes, events: int) -> bool:
    return (
        text.count(b'"ride') > 2 * events  # ride and ride_id
        or text.count(b'LocationID"') > 2 * events  # where it starts and ends
        or text.count(b'"trip_distance') > events
        or _escapes_ascii(text) is not None  # a name may be spelt so
    )


# Other text, such as é, is escaped by many producers, and is in no name that counts.
_escapes_ascii = re.compile(rb"\\u00[2-7]").search


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_distance(value: Any) -> bool:
    return is_finite(value) and value >= 0


def _is_key(ride_id: RideId) -> bool:
    """Whether a glance is enough to see that a decoded ride ID can be a partition key."""
    if isinstance(ride_id, str):
        return ride_id.isascii() or 2 * len(ride_id) <= MAX_PARTITION_KEY_CHARACTERS
    return -(2**63) <= ride_id < 2**63


_FIELDS: tuple[FieldRule, ...] = (
    ((), is_object, "a JSON object"),
    (("ride",), is_object, "a JSON object"),
    (("ride", "PULocationID"), _is_integer, "an integer, a TLC zone ID"),
    (("ride", "DOLocationID"), _is_integer, "an integer, a TLC zone ID"),
    (("ride", "trip_distance"), _is_distance, "a finite number >= 0, in miles"),
    (
        ("ride_id",),
        is_ride_id,
        RIDE_ID_ALLOWED,
    ),
)
# Each rule but the first, which is the event's own, is that of one name.
_COLONS = len(_FIELDS) - 1
