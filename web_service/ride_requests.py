"""A request's body -> rides, held to the rules of the stream and refused in its words."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from model_service.records.ride_events import Ride, RideEvent, decode_ride_event
from streams.errors import Reason, Rejected


class RideRefused(Exception):
    """A body that holds something else than rides.

    Attributes:
        reason: As in a rejection of the stream.
        detail: One line that names the field, its value and what is allowed.
        index: The ride's place in a list, from 0; None for a body that is no list.
    """

    def __init__(self, reason: Reason, detail: str, index: int | None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.index = index


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body asks for: rides alone, or ride events, in a list or without one."""

    items: Sequence[Ride | RideEvent]
    is_list: bool


class _Kind(Struct, gc=False):
    """Tells a ride event, which has a field of this name, from a ride."""

    ride: Raw | UnsetType = UNSET


_split = msgspec.json.Decoder(list[Raw]).decode
_raw = msgspec.json.Decoder(Raw).decode
_kind = msgspec.json.Decoder(_Kind).decode


def decode_rides(body: bytes) -> Asked:
    """Decode a request's body.

    Raises:
        RideRefused: It is not JSON, or not rides.
    """
    is_list = body.lstrip(b" \t\r\n").startswith(b"[")
    try:
        raws = _split(body) if is_list else [_raw(body)]
        items = [(bytes(raw), _is_event(raw)) for raw in raws]
    except (ValueError, RecursionError) as error:
        raise _diagnose(body, str(error), is_list=is_list) from None
    return Asked(_decode_each(items, is_list=is_list), is_list)


def _is_event(item: Raw) -> bool:
    try:
        return _kind(item).ride is not UNSET
    except msgspec.ValidationError:
        return False  # no object


def _decode_each(items: Iterable[tuple[bytes, bool]], *, is_list: bool) -> list[Ride | RideEvent]:
    """Decode items, each with whether it is an event."""
    decoded: list[Ride | RideEvent] = []
    for index, (item, is_event) in enumerate(items):
        try:
            decoded.append(decode_ride_event(item) if is_event else _decode_ride(item))
        except Rejected as rejected:
            place = index if is_list else None
            raise RideRefused(rejected.reason, rejected.detail, place) from None
    return decoded


def _decode_ride(item: bytes) -> Ride:
    """A ride alone: the ride of an event, so that both are held to the same rules.

    The item is one JSON value, so it cannot end the words around it.
    """
    try:
        return decode_ride_event(b'{"ride":%b,"ride_id":0}' % item).ride
    except Rejected as rejected:
        raise Rejected(rejected.reason, rejected.detail.removeprefix("ride.")) from None


def _diagnose(body: bytes, error: str, *, is_list: bool) -> RideRefused:
    """Say what is wrong with a body that is not JSON. Python's parser takes NaN and Infinity."""
    refused = RideRefused(Reason.INVALID_JSON, f"the body is not JSON: {error}", None)
    try:
        document = json.loads(body)
        parts = document if is_list else [document]
        items = [(json.dumps(part).encode(), _names_ride(part)) for part in parts]
        _decode_each(items, is_list=is_list)
    except RideRefused as named:
        return named
    except (ValueError, RecursionError):
        return refused
    return refused


def _names_ride(document: Any) -> bool:
    return isinstance(document, dict) and "ride" in document
