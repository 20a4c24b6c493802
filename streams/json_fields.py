"""Read JSON documents and require their fields, naming the field that is wrong."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from streams.errors import Reason, Rejected

RideId = int | str


# The path of a field, what it may be, and how that is said.
FieldRule = tuple[tuple[str, ...], Callable[[Any], bool], str]


# API reference, PutRecordsRequestEntry: 1 to 256 characters. A ride ID becomes a partition key.
MAX_PARTITION_KEY_CHARACTERS = 256


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
