"""What a hostile record or file costs: a clear refusal, and memory of a few times its size."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from model_service.models.mlmodel import MAX_MLMODEL_CHARACTERS, MLmodel
from model_service.models.model_errors import ModelRefused
from model_service.records.ride_events import MAX_EVENT_BYTES, decode_ride_event
from streams.aggregation import ALWAYS_ALLOWED_USER_RECORDS, deaggregate
from streams.errors import Reason, Rejected
from streams.fakes import kinesis_event
from streams.records import source_records, user_records
from tests.kpl import message, sealed
from tests.memory import at_most

MIB = 1 << 20
RIDE = b'{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":3.66},"ride_id":256}'
SMALLEST = b'{"ride":{"PULocationID":1,"DOLocationID":1,"trip_distance":0},"ride_id":1}'


def refusal[E: Exception](kind: type[E], call: Callable[[], Any], *, most_bytes: int) -> E:
    """The error of a call, which is to need no more memory than that at its peak."""
    with at_most(most_bytes), pytest.raises(kind) as caught:
        call()
    assert len(str(caught.value)) < 500
    return caught.value


def rejection(payload: bytes, *, most_bytes: int = 10 * MIB) -> Rejected:
    return refusal(Rejected, lambda: decode_ride_event(payload), most_bytes=most_bytes)


@pytest.mark.parametrize(
    "payload",
    [
        RIDE[:-1] + b',"x":"' + b"x" * 10 * MIB + b'"}',
        b"[" + b"{}," * (10 * MIB // 3) + b"{}]",
        b"9" * 10 * MIB,
        b"\xff" * 10 * MIB,
        b" " * 10 * MIB + RIDE,
    ],
    ids=["text", "objects", "digits", "not-utf-8", "spaces"],
)
def test_record_of_10_mib_is_rejected_without_being_read(payload: bytes) -> None:
    """A payload past the limit is rejected with its size and the limit, at no cost in memory."""
    rejected = rejection(payload, most_bytes=MIB)

    assert rejected.reason == Reason.INVALID_EVENT
    assert rejected.detail == (
        f"the event has {len(payload)} bytes; it must have at most {MAX_EVENT_BYTES}"
    )


def test_record_of_10_mib_is_decoded_from_base64_once() -> None:
    """Lambda's base64 of a record of 10 MiB costs its payload once, and its copy once."""
    event = kinesis_event([RIDE + b" " * 10 * MIB])
    (record,) = source_records(event)

    rejected = refusal(
        Rejected,
        lambda: [decode_ride_event(user.payload) for user in user_records(record)],
        most_bytes=21 * MIB,
    )

    assert rejected.reason == Reason.INVALID_EVENT


def test_event_of_the_largest_size_decodes() -> None:
    """An event of just the limit, further fields included, is a ride like any other."""
    payload = RIDE + b" " * (MAX_EVENT_BYTES - len(RIDE))

    assert decode_ride_event(payload) == decode_ride_event(RIDE)


@pytest.mark.parametrize("piece", [b"{},", b"[],", b'{"":0},', b"1.5,", b'"ab",'])
def test_event_of_many_values_is_diagnosed_in_bounded_memory(piece: bytes) -> None:
    """To say which field is wrong takes at most some hundred times the largest event."""
    inside = piece * ((MAX_EVENT_BYTES - 20) // len(piece))

    rejected = rejection(b'{"ride":[' + inside + b"0]}", most_bytes=100 * MAX_EVENT_BYTES)

    assert rejected.detail.startswith("ride is [")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("depth", [1_000, 9_990, 100_000])
@pytest.mark.parametrize("field", [b"ride", b"ride_id", b"further"])
def test_event_of_deep_nesting_is_rejected(
    opening: bytes, closing: bytes, depth: int, field: bytes
) -> None:
    """Nesting of any depth is a rejection, wherever it is, and never a crash."""
    nested = opening * depth + b"1" + closing * depth

    rejected = rejection(b'{"' + field + b'":' + nested + b"}", most_bytes=20 * MIB)

    assert rejected.reason in (Reason.INVALID_EVENT, Reason.INVALID_JSON)


@pytest.mark.parametrize("sign", [b"", b"-"])
@pytest.mark.parametrize("digits", [5_000, 1_000_000])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (b"130", "ride.PULocationID"),
        (b"205", "ride.DOLocationID"),
        (b"3.66", "ride.trip_distance"),
        (b"256", "ride_id"),
    ],
)
def test_event_with_a_huge_integer_is_rejected_by_name(
    place: bytes, name: str, digits: int, sign: bytes
) -> None:
    """An integer of thousands of digits is not read, as Python would not: the field is named."""
    rejected = rejection(RIDE.replace(place, sign + b"9" * digits))

    assert rejected.reason == Reason.INVALID_EVENT
    assert rejected.detail.startswith(f"{name} is {sign.decode()}999")
    assert "…; it must be " in rejected.detail


@pytest.mark.parametrize("further", [b'"x":%s', b'"x":[-%s]', b'"x":%s,"ride_ids":1'])
@pytest.mark.parametrize("escape", [b"", b',"y":"\\n"'])
def test_event_with_a_huge_integer_that_is_ignored_is_a_ride(further: bytes, escape: bytes) -> None:
    """A further field may be an integer of any length, whether or not a glance is enough."""
    payload = RIDE[:-1] + b"," + further % (b"9" * 5_000) + escape + b"}"

    assert decode_ride_event(payload) == decode_ride_event(RIDE)


@pytest.mark.parametrize(
    ("twice", "name"),
    [
        (RIDE[:-1] + b',"ride_id":256}', "ride_id"),
        (RIDE[:-1] + b',"ride_id":null}', "ride_id"),
        (b'{"ride_id":null,' + RIDE[1:], "ride_id"),
        (RIDE[:-1] + b',"ride\\u005fid":257}', "ride_id"),
        (b'{"ride":{},' + RIDE[1:], "ride"),
        (RIDE.replace(b'"DO', b'"PULocationID":1,"DO'), "ride.PULocationID"),
        (RIDE.replace(b'"PU', b'"DOLocationID":1,"PU'), "ride.DOLocationID"),
        (RIDE.replace(b'"PU', b'"trip_distance":1,"PU'), "ride.trip_distance"),
    ],
)
def test_event_with_a_field_twice_is_rejected_by_name(twice: bytes, name: str) -> None:
    """Of two values of one field none is taken: readers differ in which."""
    rejected = rejection(twice)

    assert rejected.reason == Reason.INVALID_EVENT
    assert rejected.detail == f"{name} is there twice; it must be there once"


@pytest.mark.parametrize(
    "further",
    [b'"x":1,"x":2', b'"x":{"ride_id":1}', b'"type":"ride","of":"ride"', b'"x":"\\""'],
)
def test_event_with_further_fields_twice_is_a_ride(further: bytes) -> None:
    """Fields that are ignored may be there twice, or have the names of others as values."""
    assert decode_ride_event(RIDE[:-1] + b"," + further + b"}") == decode_ride_event(RIDE)


def user_record_bytes(data: bytes) -> bytes:
    """A user record with the first partition key; its data are shorter than 128 bytes."""
    record = b"\x08\x00\x1a" + bytes([len(data)]) + data
    return b"\x1a" + bytes([len(record)]) + record


KEY = b"\x0a\x01a"


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


@pytest.mark.parametrize("mebibytes", [1, 10])
def test_aggregate_of_empty_records_is_rejected_whole(mebibytes: int) -> None:
    """Far more user records than can be rides are one rejection, at a few times their size."""
    count = mebibytes * MIB // 6 - 10
    payload = sealed(KEY + user_record_bytes(b"") * count)
    (record,) = source_records(kinesis_event([payload]))

    rejected = refusal(Rejected, lambda: user_records(record), most_bytes=4 * len(payload))

    assert rejected.reason == Reason.INVALID_AGGREGATE
    assert "user records or partition keys in its" in rejected.detail
    assert rejected.detail.endswith("which cannot all be rides")


@pytest.mark.parametrize(
    "content",
    [
        b"\x0a\x02ab" * (MIB // 2),
        b"\x12\x02ab" * (MIB // 2),
        b"\x48\x01" * MIB,
        b"\x1a" + _varint(2 * MIB) + bytes(2 * MIB),
    ],
    ids=["keys", "hash-keys", "unknown-fields", "zeros"],
)
def test_aggregate_of_many_fields_is_refused_in_bounded_memory(content: bytes) -> None:
    """Neither keys nor fields that are passed over pile up in memory."""
    refusal(ValueError, lambda: deaggregate(sealed(content)), most_bytes=4 * 2 * MIB)


@pytest.mark.parametrize("distinct", [True, False])
def test_user_record_of_many_fields_is_refused(distinct: bool) -> None:
    """A user record with half a million unknown fields is not read to its end."""
    numbers = range(1 << 14, (1 << 14) + 500_000) if distinct else [9] * 500_000
    unknown = b"".join(_varint(number << 3) + b"\0" for number in numbers)
    content = KEY + b"\x1a" + _varint(len(unknown)) + unknown

    error = refusal(ValueError, lambda: deaggregate(sealed(content)), most_bytes=4 * len(content))

    assert str(error).endswith("has more than 100 fields")


def test_aggregate_of_the_smallest_rides_is_taken_apart_at_any_size() -> None:
    """A record of 10 MiB that is full of the smallest rides there can be gives every one."""
    count = 10 * MIB // 80
    content = KEY + user_record_bytes(SMALLEST) * count

    assert deaggregate(sealed(content)) == [("a", SMALLEST)] * count


def test_aggregate_of_few_records_is_taken_apart_whatever_they_are() -> None:
    """Up to a thousand user records may be of any size, so that each is rejected by itself."""
    few = user_record_bytes(b"") * ALWAYS_ALLOWED_USER_RECORDS

    assert deaggregate(sealed(KEY + few)) == [("a", b"")] * ALWAYS_ALLOWED_USER_RECORDS
    with pytest.raises(ValueError, match="more than 1000 user records"):
        deaggregate(sealed(KEY + few + user_record_bytes(b"")))


def test_aggregate_of_a_long_partition_key_is_refused() -> None:
    """A key of a mebibyte that a thousand user records share would be a gibibyte when rejected."""
    key = b"\x0a" + _varint(MIB) + b"k" * MIB

    error = refusal(
        ValueError,
        lambda: deaggregate(sealed(key + user_record_bytes(b"") * 1000)),
        most_bytes=5 * MIB,
    )

    assert str(error) == "a partition key has 1048576 characters; it may have 256"


def test_aggregate_within_an_aggregate_is_not_taken_apart() -> None:
    """A user record that is an aggregated record itself is no ride: nothing unfolds twice."""
    inner = sealed(message([("a", RIDE)]))
    (record,) = source_records(kinesis_event([sealed(message([("a", inner)]))]))

    (user,) = user_records(record)

    assert base64.b64decode(user.data) == inner
    assert rejection(user.payload).reason == Reason.INVALID_UTF8


def parse(content: bytes) -> MLmodel:
    return MLmodel.parse(content, "s3://b/m/MLmodel")


def bomb(line: str, levels: int = 30) -> bytes:
    """YAML in which each line holds the one before nine times."""
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, levels):
        inner = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} " + line.format(inner))
    return "\n".join(
        [*lines, f"flavors: {{sklearn: {{sklearn_version: *a{levels - 1}}}}}"]
    ).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb("[{}]"), "more than 1000000 characters and values"),
        (bomb("{{<<: [{}]}}"), "more than 1000000 characters and values"),
        (b"a: &a " + b"x" * 300_000 + b"\nb: [" + b"*a, " * 99 + b"]", "more than 1000000"),
        (b"[" + b"1," * 499_999 + b"]", "more than 1000000 characters and values"),
        (b"a: &a [*a]", "found a value that holds itself"),
        (b"a: &a {b: *a}", "found a value that holds itself"),
        (b"- " * 500_000, "recursion"),
        (b'{"a":' * 200_000, "recursion"),
        (b"%TAG !a! a\n" * 90_000, "duplicate tag handle"),
        (b"*" + b"a" * 100_000, "found undefined alias"),
    ],
    ids=[
        "aliases",
        "merges",
        "text",
        "list",
        "loop",
        "loop-map",
        "dashes",
        "maps",
        "tags",
        "name",
    ],
)
def test_mlmodel_bomb_is_refused_in_bounded_memory(content: bytes, said: str) -> None:
    """YAML that unfolds, nests or repeats without end is refused, with what it was."""
    refused = refusal(ModelRefused, lambda: parse(content), most_bytes=30 * MIB)

    assert str(refused).startswith("s3://b/m/MLmodel is not an MLmodel file: ")
    assert said in str(refused)


@pytest.mark.parametrize(
    "value",
    ["!!int ''", "!!float ''", "!!timestamp x", "!!bool x", "1:1:1.0" + ":59" * 400, "2026-99-99"],
)
def test_mlmodel_value_that_yaml_cannot_make_is_text(value: str) -> None:
    """Numbers and dates of YAML's are not made, so none of them can fail, or take for ever."""
    model = parse(f"flavors: {{sklearn: {{sklearn_version: {value}}}}}".encode())

    assert isinstance(model.flavors["sklearn"]["sklearn_version"], str)


def test_mlmodel_sexagesimal_number_is_text() -> None:
    """A number of 60s as long as the file, which took minutes to compute, is just text."""
    number = "1" + ":59" * 300_000

    assert parse(f"flavors: {{a: {{b: {number}}}}}".encode()).flavors["a"]["b"] == number


@pytest.mark.parametrize("null", ["null", "~", "", "Null", "NULL"])
def test_mlmodel_null_is_none(null: str) -> None:
    """A model that was saved without a run has none."""
    assert parse(f"flavors: {{}}\nrun_id: {null}\n".encode()).run_id is None


def test_mlmodel_quoted_null_is_text() -> None:
    """A quoted null is a name, and so is a word that begins like one."""
    assert parse(b"flavors: {}\nrun_id: 'null'").run_id == "null"
    assert parse(b"flavors: {}\nrun_id: nullable").run_id == "nullable"


def test_mlmodel_digits_are_a_run_id() -> None:
    """A run ID that YAML would take for a number is one all the same."""
    assert parse(b"flavors: {}\nrun_id: 0123").run_id == "0123"


def test_mlmodel_with_an_alias_and_a_long_signature_is_read() -> None:
    """What MLflow may write is far from the limits."""
    outputs = json.dumps([{"name": "duration"}]) + " " * (MAX_MLMODEL_CHARACTERS // 2)
    content = f"flavors: {{a: &a {{b: [c]}}, d: *a}}\nsignature: {{outputs: '{outputs}'}}"

    model = parse(content.encode())

    assert model.flavors["d"] == {"b": ["c"]}
    assert model.output_name == "duration"


@pytest.mark.parametrize(
    "outputs", ["[" * 100_000, '[{"name":' + "[" * 100_000, "[9" + "9" * 100_000 + "]", "[1]"]
)
def test_mlmodel_output_of_a_crafted_signature_is_none(outputs: str) -> None:
    """A signature that cannot be read has no output to name."""
    assert parse(f"flavors: {{}}\nsignature: {{outputs: '{outputs}'}}".encode()).output_name is None
