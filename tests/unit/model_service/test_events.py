import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_service.records.ride_events import Ride, RideEvent, decode_ride_event
from streams.errors import Reason, Rejected

RIDE = {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}


def document(**changes: Any) -> bytes:
    return json.dumps({"ride": {**RIDE, **changes}, "ride_id": 256}).encode()


def rejection(payload: bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode_ride_event(payload)
    return caught.value


def test_decode_contract_example_gives_the_ride() -> None:
    """The design's example decodes to its fields."""
    assert decode_ride_event(document()) == RideEvent(Ride(130, 205, 3.66), 256)


@pytest.mark.parametrize(
    "ride_id", [0, -1, 2**63, -(2**70), 10**255, "256", "ride-ü", "x" * 256, "\U0001f696" * 128]
)
def test_decode_ride_id_keeps_its_type(ride_id: int | str) -> None:
    """A ride ID that can be a partition key comes through as it is."""
    event = decode_ride_event(json.dumps({"ride": RIDE, "ride_id": ride_id}).encode())

    assert event.ride_id == ride_id
    assert type(event.ride_id) is type(ride_id)


def test_decode_unknown_fields_are_ignored() -> None:
    """A producer may add fields."""
    payload = json.dumps({"ride": {**RIDE, "vendor": "ü"}, "ride_id": 1, "new": [None]}).encode()

    assert decode_ride_event(payload) == RideEvent(Ride(130, 205, 3.66), 1)


def test_decode_whole_number_distance_is_a_number() -> None:
    """A distance of 4 is as good as 4.0."""
    assert decode_ride_event(document(trip_distance=4)).ride.trip_distance == 4.0


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xfe",
        b'{"ride_id": "\xff"}',
        document()[:-1] + b', "extra": "\xff"}',
        b'{"ride_id": "\xed\xa0\x80"}',
    ],
)
def test_decode_bad_utf8_is_rejected(payload: bytes) -> None:
    """Bytes that are not UTF-8 are rejected, even in a field that is ignored."""
    assert rejection(payload).reason == Reason.INVALID_UTF8


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"ride",
        document() + b"x",
        document()[:-1],
        document()[:-1] + b', "extra": NaN}',
        b'\xef\xbb\xbf{"ride": 1}',
        b"[" * 100_000,
        document()[:-1] + b', "extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "cut", "word", "tail", "cut-end", "nan", "bom", "deep", "deep-extra"],
)
def test_decode_bad_json_is_rejected(payload: bytes) -> None:
    """Bytes that are not JSON are rejected, also when they are deep."""
    assert rejection(payload).reason == Reason.INVALID_JSON


@pytest.mark.parametrize("payload", [b"[]", b"5", b"null", b'"ride"', b"true"])
def test_decode_json_that_is_no_object_is_rejected(payload: bytes) -> None:
    """Valid JSON that is not an object is rejected as an event, with its value."""
    rejected = rejection(payload)

    assert rejected.reason == Reason.INVALID_EVENT
    assert rejected.detail == f"the event is {payload.decode()}; it must be a JSON object"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("PULocationID", "130"),
        ("PULocationID", None),
        ("PULocationID", True),
        ("PULocationID", 1.5),
        ("DOLocationID", [205]),
        ("DOLocationID", {}),
        ("trip_distance", "3.66"),
        ("trip_distance", None),
        ("trip_distance", False),
        ("trip_distance", -0.1),
        ("trip_distance", -1),
        ("trip_distance", float("nan")),
        ("trip_distance", float("inf")),
        ("trip_distance", float("-inf")),
        ("trip_distance", 10**400),
    ],
)
def test_decode_wrong_field_is_named_with_its_value(field: str, value: Any) -> None:
    """A field of a wrong type or value is rejected by name, value and what is allowed."""
    rejected = rejection(document(**{field: value}))

    assert rejected.reason == Reason.INVALID_EVENT
    assert rejected.detail.startswith(f"ride.{field} is {json.dumps(value)[:80]}")
    assert "it must be " in rejected.detail


@pytest.mark.parametrize("field", ["PULocationID", "DOLocationID", "trip_distance"])
def test_decode_missing_field_is_named(field: str) -> None:
    """A missing field is rejected by name; nothing is put in its place."""
    ride = {name: value for name, value in RIDE.items() if name != field}

    rejected = rejection(json.dumps({"ride": ride, "ride_id": 1}).encode())

    assert rejected.detail.startswith(f"ride.{field} is missing; it must be ")


@pytest.mark.parametrize(
    "ride_id",
    ["", None, True, 1.0, [], "x" * 257, "\U0001f696" * 129, 10**256, "\ud800", "\ud83d" * 300],
)
def test_decode_ride_id_that_cannot_be_a_partition_key_is_rejected(ride_id: Any) -> None:
    """A ride ID that Kinesis would refuse as a partition key never reaches PutRecords."""
    rejected = rejection(json.dumps({"ride": RIDE, "ride_id": ride_id}).encode())

    assert rejected.detail.startswith("ride_id is ")


def test_decode_long_value_is_cut_in_the_detail() -> None:
    """A detail stays one short line, whatever the record holds."""
    detail = rejection(document(trip_distance="9" * 10_000)).detail

    assert len(detail) < 200
    assert "…" in detail


@given(st.binary())
def test_decode_any_bytes_either_decode_or_are_rejected(payload: bytes) -> None:
    """No bytes raise anything but a rejection."""
    try:
        decode_ride_event(payload)
    except Rejected as rejected:
        assert rejected.detail


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(pickup=_json, dropoff=_json, distance=_json, ride_id=_json)
def test_decode_any_json_values_decode_only_as_what_they_are(
    pickup: Any, dropoff: Any, distance: Any, ride_id: Any
) -> None:
    """What decodes is what was sent: no value is converted, and none is invented."""
    ride = {"PULocationID": pickup, "DOLocationID": dropoff, "trip_distance": distance}
    try:
        event = decode_ride_event(json.dumps({"ride": ride, "ride_id": ride_id}).encode())
    except Rejected as rejected:
        assert rejected.reason in (Reason.INVALID_EVENT, Reason.INVALID_JSON)
        return

    assert type(pickup) is type(dropoff) is int
    assert type(distance) in (int, float)
    assert type(event.ride_id) is type(ride_id)
    assert event == RideEvent(Ride(pickup, dropoff, distance), ride_id)


_numbers = (
    st.integers(1, 6_000).map(lambda digits: "9" * digits)
    | st.integers(1, 6_000).map(lambda digits: f"-1{'0' * digits}")
    | st.floats(allow_nan=False, allow_infinity=False).map(json.dumps)
    | st.just("1e999")
)
_texts = st.text().map(json.dumps)


@given(further=st.lists(_numbers | _texts), name=_texts)
def test_decode_further_fields_of_any_length_and_spelling_are_ignored(
    further: list[str], name: str
) -> None:
    """What is JSON and not a ride's is passed over, also where it takes more than a glance."""
    plain = document()[:-1].decode()

    event = decode_ride_event(f'{plain}, {name[:-1]}!": [{", ".join(further)}]}}'.encode())

    assert event == decode_ride_event(document())
