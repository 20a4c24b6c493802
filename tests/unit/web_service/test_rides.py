"""A request's body is held to the stream's own rules."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_service.records.ride_events import decode_ride_event
from streams.errors import Rejected
from web_service.ride_requests import RideRefused, decode_rides

VALUES = st.one_of(
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.none(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
)
RIDES = st.dictionaries(
    st.sampled_from(["PULocationID", "DOLocationID", "trip_distance", "ride_id", "more"]), VALUES
)
EVENTS = st.fixed_dictionaries({"ride": RIDES | VALUES}, optional={"ride_id": VALUES})


def outcome(decode: Any, payload: bytes) -> Any:
    """What a decoder makes of bytes: a value, or why not."""
    try:
        return decode(payload)
    except (Rejected, RideRefused) as refused:
        return refused.reason, refused.detail


def alone(payload: bytes) -> Any:
    (item,) = decode_rides(payload).items
    return item


@given(EVENTS)
def test_event_is_decoded_as_the_stream_does(event: dict[str, Any]) -> None:
    """Every event has the outcome that it has on the stream, in the same words."""
    payload = json.dumps(event).encode()

    web, stream = outcome(alone, payload), outcome(decode_ride_event, payload)

    # Where all that counts is right and the rest is not JSON, the two name another place of it.
    assert web == stream or web[0] == stream[0] == "invalid_json"


@given(RIDES)
def test_ride_is_decoded_as_that_of_an_event(ride: dict[str, Any]) -> None:
    """A ride alone has the outcome of an event that holds it, and names the field alone."""
    event = json.dumps({"ride": ride, "ride_id": 0}).encode()

    web, stream = outcome(alone, json.dumps(ride).encode()), outcome(decode_ride_event, event)

    if isinstance(stream, tuple):
        assert web[0] == stream[0]
        assert web[0] == "invalid_json" or web[1] == stream[1].removeprefix("ride.")
    else:
        assert web == stream.ride


@given(st.lists(RIDES | EVENTS, max_size=4))
def test_list_is_refused_for_its_first_fault(items: list[dict[str, Any]]) -> None:
    """A list is what its items are alone; if one is refused, its place is said."""
    alone_outcomes = [outcome(alone, json.dumps(item).encode()) for item in items]
    refused = [index for index, one in enumerate(alone_outcomes) if isinstance(one, tuple)]

    try:
        asked = decode_rides(json.dumps(items).encode())
    except RideRefused as fault:
        named = fault.reason == "invalid_json" or fault.index == refused[0]
        assert named or any(alone_outcomes[index][0] == "invalid_json" for index in refused)
    else:
        assert asked.is_list
        assert list(asked.items) == alone_outcomes


@given(st.binary(max_size=50))
def test_bytes_are_decoded_or_refused(body: bytes) -> None:
    """Whatever the bytes are, nothing but a refusal comes of what is wrong with them."""
    try:
        decode_rides(body)
    except RideRefused as refused:
        assert refused.detail


@pytest.mark.parametrize("field", ["trip_distance", "PULocationID"])
def test_field_that_is_there_twice_is_refused(field: str) -> None:
    """Neither of two values is guessed."""
    ride = '{"PULocationID": 1, "DOLocationID": 2, "trip_distance": 3, "%s": 4}' % field  # noqa: UP031

    with pytest.raises(RideRefused, match=f"^{field} is there twice; it must be there once"):
        decode_rides(ride.encode())
