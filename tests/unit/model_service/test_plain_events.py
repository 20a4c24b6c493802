import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_service.events import decode_ride_event
from model_service.plain_events import decode_plain_events

EVENT = '{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":3.66},"ride_id":"a"}'

# Whole events, pieces of them, and what could make two pieces one: cut anywhere, and put together.
_pieces = st.one_of(
    st.just(EVENT),
    st.tuples(st.integers(0, len(EVENT)), st.integers(0, len(EVENT))).map(
        lambda cut: EVENT[min(cut) : max(cut)]
    ),
    st.sampled_from(["{", "}", "\n", " ", ",", '"', ":", "[", "]", "}\n{", '{"x":{}', "7}", "é"]),
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
def test_plain_events_are_those_of_each_payload(payloads: list[bytes]) -> None:
    """What is decoded in one go is what each payload is by itself: none is mended by another."""
    events = decode_plain_events(payloads)

    if events is not None:
        assert events == [decode_ride_event(payload) for payload in payloads]


def test_plain_events_of_a_usual_batch_are_decoded_in_one_go() -> None:
    """Events as producers write them take the short way, whichever field is first."""
    payloads = [EVENT.encode(), EVENT.replace("3.66", "0").encode()]
    turned = [b'{"ride_id":7,"ride":{"trip_distance":1,"DOLocationID":2,"PULocationID":3}}'] * 2

    assert decode_plain_events(payloads) == [decode_ride_event(p) for p in payloads]
    assert decode_plain_events(turned) == [decode_ride_event(p) for p in turned]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        f'{EVENT[:-1]},"more":1}}'.encode(),
        EVENT.replace('"ride_id"', '"ride_id":1,"ride_id"').encode(),
        EVENT.replace("130", "130,\n").encode(),
        EVENT.replace('"a"', f'"{"a" * 300}"').encode(),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_batch_with_anything_else_is_decoded_one_by_one(payload: bytes, place: int) -> None:
    """One payload that is not plain, wherever, and all are looked at."""
    payloads = [EVENT.encode(), EVENT.encode()]
    payloads.insert(place, payload)

    assert decode_plain_events(payloads) is None


def test_no_events_are_none() -> None:
    """There is nothing to decode in one go."""
    assert decode_plain_events([]) is None
