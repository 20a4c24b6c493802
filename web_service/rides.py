"""A request's body -> rides, held to the rules of the stream and refused in its words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from model_service.events import Reason, Rejected, Ride, RideEvent, decode_ride_event


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
        items: Sequence[bytes | Raw] = _split(body) if is_list else [_raw(body)]
    except (ValueError, RecursionError) as error:
        raise _diagnose(body, str(error), is_list=is_list) from None
    return Asked(_decode_each(items, is_list=is_list), is_list)


def _decode_each(items: Sequence[bytes | Raw], *, is_list: bool) -> list[Ride | RideEvent]:
    decoded: list[Ride | RideEvent] = []
    for index, item in enumerate(items):
        try:
            decoded.append(_decode(bytes(item)))
        except Rejected as rejected:
            place = index if is_list else None
            raise RideRefused(rejected.reason, rejected.detail, place) from None
    return decoded


def _decode(item: bytes) -> Ride | RideEvent:
    try:
        is_event = _kind(item).ride is not UNSET
    except (ValueError, RecursionError):
        is_event = False
    return decode_ride_event(item) if is_event else _decode_ride(item)


def _decode_ride(item: bytes) -> Ride:
    """A ride alone: the ride of an event, so that both are held to the same rules.

    The item is JSON, or the words around it would be no safer than a string's in a query.
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
        items = document if is_list else [document]
        _decode_each([json.dumps(item).encode() for item in items], is_list=is_list)
    except RideRefused as named:
        return named
    except (ValueError, RecursionError):
        return refused
    return refused
