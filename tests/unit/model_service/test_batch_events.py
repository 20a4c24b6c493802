import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_service.records.ride_events import MAX_EVENT_BYTES, decode_ride_event, decode_ride_events

EVENT = '{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":3.66},"ride_id":"a"}'

EVENTS = [
    EVENT,
    '{"ride_id":7,"ride":{"trip_distance":1,"DOLocationID":2,"PULocationID":3}}',
    f'{EVENT[:-1]},"vendor":{{"name":"a:b","at":[1,"é"]}}}}',
    EVENT.replace('"a"', f'"{"é" * 128}"'),
    EVENT.replace("},", '},"name":"Montr\\u00e9al \\u5317 \\"a\\" \\\\ \\n",'),
]
# Whole events, pieces of them, and what could make two pieces one: cut anywhere, and put together.
_pieces = st.one_of(
    st.sampled_from(EVENTS),
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 120), st.integers(0, 120)).map(
        lambda cut: cut[0][min(cut[1:]) : max(cut[1:])]
    ),
    st.sampled_from(["{", "}", "\n", " ", ",", '"', ":", "[", "]", "}\n{", '{"x":{}', "7}", "é"]),
    st.sampled_from(['"ride":{},', '"ride_id":1,', '"\\u0072ide_id":1,', '"trip_distance":1,']),
    st.sampled_from(["\\", '\\"', "\\u00e9", "\\u0072ide", '"x":"\\"ride",', '"r\\u0069de_id":2,']),
)
_payloads = st.lists(st.lists(_pieces, max_size=4).map("".join).map(str.encode), max_size=5)


@given(_payloads)
@example([EVENT.encode() + b" " + EVENT.encode(), b"{}"])
@example([EVENT.encode() + b" " + EVENT.encode(), b""])
@example([b"", EVENT.encode() + b" " + EVENT.encode()])
@example([EVENT[:-4].encode() + b"}", EVENT.encode()])
@example([EVENT.encode() + b"\n" + EVENT.encode(), b" "])
@example([EVENT.encode() + b"7", EVENT.encode()])
@example([b'{"ride":{"a":1,"b":"', b'","trip_distance":3},"ride_id":1}'])
def test_events_of_a_batch_are_those_of_each_payload(payloads: list[bytes]) -> None:
    """What is decoded in one go is what each payload is by itself: none is mended by another."""
    events = decode_ride_events(payloads)

    if events is not None:
        assert events == [decode_ride_event(payload) for payload in payloads]
        for payload in payloads:
            assert names_of(payload).count("ride_id") == 1


def names_of(payload: bytes) -> list[str]:
    """The names of a JSON object, as often as they are there, in Python's own parser."""
    names: list[str] = []
    json.loads(payload, object_pairs_hook=lambda pairs: names.extend(name for name, _ in pairs))
    return names


@pytest.mark.parametrize("event", EVENTS)
def test_events_of_a_usual_batch_are_decoded_in_one_go(event: str) -> None:
    """Events as producers write them take the short way: in any order, and with further fields."""
    payloads = [EVENT.encode(), event.encode()]

    assert decode_ride_events(payloads) == [decode_ride_event(p) for p in payloads]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        EVENT.replace('"ride_id"', '"ride_id":1,"ride_id"').encode(),
        EVENT.replace('"ride"', '"ride":{},"ride"').encode(),
        EVENT.replace('"trip_distance"', '"trip_distance":1,"trip_distance"').encode(),
        EVENT.replace("{", '{"\\u0072ide_id":1,').encode(),
        EVENT.replace("130", "130,\n").encode(),
        EVENT.replace('"a"', f'"{"a" * 300}"').encode(),
        EVENT.replace('"a"', f'"{"😀" * 200}"').encode(),
        EVENT.replace('"a"', f"{'9' * 300}").encode(),
        EVENT.replace("},", '},"name":"\xff",').encode("latin-1"),
        f'{EVENT[:-1]},"more":"{"x" * MAX_EVENT_BYTES}"}}'.encode(),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_batch_with_anything_else_is_decoded_one_by_one(payload: bytes, place: int) -> None:
    """One payload that needs a closer look, wherever, and all get it."""
    payloads = [EVENT.encode(), EVENT.encode()]
    payloads.insert(place, payload)

    assert decode_ride_events(payloads) is None
