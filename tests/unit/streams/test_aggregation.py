import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import aggregation
from streams.aggregation import MAGIC, deaggregate
from tests.kpl import aggregate, message, parsed, sealed

TWO = [("a", b"one"), ("b", b"two")]

_records = st.lists(st.tuples(st.text(max_size=256), st.binary(max_size=300)), min_size=1)


@given(_records)
def test_deaggregate_gives_what_was_aggregated(records: list[tuple[str, bytes]]) -> None:
    """Keys and data come out as they went in, in order; hash keys and tags are passed over."""
    assert deaggregate(aggregate(records)) == records


@given(_records, st.integers(0, 2**128 - 1))
def test_aggregate_is_the_reverse(records: list[tuple[str, bytes]], hash_key: int) -> None:
    """What is aggregated here is taken apart again, by us and by Google's own reader."""
    made = aggregation.aggregate(records, hash_key)

    assert deaggregate(made) == records
    message = parsed(made)
    keys = list(message.partition_key_table)
    assert [(keys[r.partition_key_index], r.data) for r in message.records] == records
    assert [int(key) for key in message.explicit_hash_key_table] == [hash_key]


def test_deaggregate_reads_long_records_and_passes_over_unknown_fields() -> None:
    """Sizes of several bytes are read, and fields of later versions do no harm."""
    long = [("a", b"x" * 20_000), ("b", b"y" * 3_000_000)]
    later = b"\x49" + b"\x1a" * 8 + b"\x55" + b"\x1a" * 4 + b"\x50" + b"\xff" * 9 + b"\x01"

    assert deaggregate(sealed(later + message(long))) == long


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (MAGIC, "checksum"),
        (aggregate(TWO)[:-1], "checksum"),
        (aggregate(TWO) + b"x", "checksum"),
        (aggregate(TWO).replace(b"one", b"eno"), "checksum"),
        (sealed(b""), "no user record"),
        (sealed(message(TWO)[:-1]), "field 3 is cut off"),
        (sealed(message([("a", b"x" * 200)])[:5]), "cut off"),
        (sealed(b"\x1a\x02\x08\x00"), "no data or no partition key"),
        (sealed(b"\x1a\x03\x1a\x01x"), "no data or no partition key"),
        (sealed(b"\x1a\x05\x08\x00\x1a\x01x"), "partition key 0 of 0"),
        (sealed(b"\x1a\x05\x0a\x01x\x18\x01"), "no data or no partition key"),
        (sealed(b"\x0a\x01\xff" + message(TWO)), "utf-8"),
        (sealed(b"\x0b"), "unknown wire type 3"),
        (sealed(b"\x80" * 11), "a number is cut off"),
        (sealed(b"\x09abc"), "field 1 is cut off"),
    ],
)
def test_deaggregate_anything_else_is_an_error_that_says_why(payload: bytes, message: str) -> None:
    """Bytes that begin like an aggregated record and are none are refused, and never guessed at."""
    with pytest.raises(ValueError, match=message):
        deaggregate(payload)


@given(st.binary())
def test_deaggregate_any_content_is_read_or_refused(content: bytes) -> None:
    """No content with a right checksum raises anything but ValueError."""
    try:
        assert deaggregate(sealed(content))
    except ValueError as error:
        assert str(error)
