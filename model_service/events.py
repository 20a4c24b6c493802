"""The wire types: ride events in, prediction events out, rejections aside."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from math import isfinite
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

RideId = int | str

# The path of a field, what it may be, and how that is said.
FieldRule = tuple[tuple[str, ...], Callable[[Any], bool], str]

# API reference, PutRecordsRequestEntry: 1 to 256 characters. A ride ID becomes a partition key.
MAX_PARTITION_KEY_CHARACTERS = 256

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


class Reason(StrEnum):
    """Why a record can never succeed."""

    INVALID_BASE64 = "invalid_base64"
    INVALID_AGGREGATE = "invalid_aggregate"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    INVALID_EVENT = "invalid_event"
    MODEL_ERROR = "model_error"
    NOT_FINITE = "prediction_not_finite"


class Rejected(Exception):
    """A record can never succeed.

    Args:
        reason: The code to count by.
        detail: One line for a person: the field, its value, what is allowed.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class RejectionSource(Struct, frozen=True, gc=False):
    """Where a rejected record came from.

    `arrival_time` is in seconds since the epoch. `sub_sequence_number` counts the user records of
    an aggregated record, from 0; a record that is not aggregated has none.
    """

    stream: str
    shard: str
    sequence_number: str
    sub_sequence_number: int | None
    partition_key: str
    arrival_time: float


class Rejection(Struct, frozen=True, gc=False):
    """A line of a rejection object.

    `data` is the record's payload in base64, as it came, or that of the user record in it.
    """

    reason: Reason
    detail: str
    source: RejectionSource
    model: str
    version: str
    data: str


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


def parse_json(payload: bytes) -> Any:
    """A JSON document, with what `require_fields` needs to find a field that is there twice.

    Raises:
        Rejected: It is not JSON.
    """
    # Python's parser takes NaN and Infinity, which lets the field that holds one be named.
    try:
        return json.loads(payload.decode(), object_pairs_hook=_object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise Rejected(Reason.INVALID_JSON, f"the data is not JSON: {error}") from None


class _Digits(str):
    """An integer of more digits than Python reads, 4,300 unless configured otherwise."""

    __slots__ = ()


def _integer(digits: str) -> int | _Digits:
    try:
        return int(digits)
    except ValueError:
        return _Digits(digits)


class _Ambiguous(dict[str, Any]):
    """A JSON object that has a name more than once."""

    repeated: frozenset[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    ambiguous = _Ambiguous(fields)
    counts = Counter(name for name, _ in pairs)
    ambiguous.repeated = frozenset(name for name, count in counts.items() if count > 1)
    return ambiguous


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


def require_utf8(payload: bytes) -> None:
    """Require a text.

    Raises:
        Rejected: It is not UTF-8.
    """
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        raise Rejected(Reason.INVALID_UTF8, f"the data is not UTF-8: {error}") from None


def require_fields(document: Any, fields: Iterable[FieldRule]) -> None:
    """Require fields of a JSON document, each there once and as it must be.

    Args:
        document: Of `parse_json`.
        fields: From the outside in, so that a fault is named where it is.

    Raises:
        Rejected: A field is missing, there twice, or is not as it must be.
    """
    for path, is_allowed, allowed in fields:
        name, value = ".".join(path), document
        for key in path:
            if key not in value:
                raise Rejected(Reason.INVALID_EVENT, f"{name} is missing; it must be {allowed}")
            if isinstance(value, _Ambiguous) and key in value.repeated:
                raise Rejected(
                    Reason.INVALID_EVENT, f"{name} is there twice; it must be there once"
                )
            value = value[key]
        if not is_allowed(value):
            raise Rejected(
                Reason.INVALID_EVENT,
                f"{name or 'the event'} is {_shown(value)}; it must be {allowed}",
            )


_MAX_SHOWN_CHARACTERS = 80


def _shown(value: Any) -> str:
    text = value if isinstance(value, _Digits) else json.dumps(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"


def is_object(value: Any) -> bool:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_text(value: Any) -> bool:
    """Whether a value is a text that UTF-8 can say: one without half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether a JSON value is a finite number."""
    if not (_is_integer(value) or isinstance(value, float)):
        return False
    try:
        return isfinite(value)
    except OverflowError:  # an integer past the largest float
        return False


def _is_distance(value: Any) -> bool:
    return is_finite(value) and value >= 0


def _is_key(ride_id: RideId) -> bool:
    """Whether a glance is enough to see that a decoded ride ID can be a partition key."""
    if isinstance(ride_id, str):
        return ride_id.isascii() or 2 * len(ride_id) <= MAX_PARTITION_KEY_CHARACTERS
    return -(2**63) <= ride_id < 2**63


def is_ride_id(value: Any) -> bool:
    """Whether a JSON value is an integer or a text that can be a partition key."""
    if not (_is_integer(value) or isinstance(value, str)):
        return False
    try:
        # Kinesis counts UTF-16 units, of which a character has one or two. Digits that Python does
        # not read are more than that.
        units = len(str(value).encode("utf-16-le")) // 2
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return 0 < units <= MAX_PARTITION_KEY_CHARACTERS


RIDE_ID_ALLOWED = (
    f"an integer or a non-empty string, of at most {MAX_PARTITION_KEY_CHARACTERS} characters"
)
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
