import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cli.moments import day, moment, written
from ops.replay.span import Bound, Span, bound

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import RecordTypeDef


def record(number: int, time: float) -> "RecordTypeDef":
    return {
        "Data": b"",
        "SequenceNumber": str(number),
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(time, UTC),
    }


PAGE = [record(8, 1.0), record(9, 2.0), record(10, 3.0)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86400),
        ("19700102", 86400),
        ("1970-01-01T00:01", 60),
        ("1970-01-01T01:01+01:00", 60),
        ("1970-01-01T00:00:00.5Z", 0.5),
    ],
)
def test_moment_is_in_utc_unless_it_says_otherwise(text: str, seconds: float) -> None:
    """ISO times in all their forms."""
    assert moment(text) == seconds
    assert bound(text) == Bound(time=seconds)


def test_moment_that_is_none_is_refused() -> None:
    """What is allowed is said."""
    with pytest.raises(argparse.ArgumentTypeError, match="^'noon' is not allowed; it must"):
        moment("noon")
    with pytest.raises(argparse.ArgumentTypeError, match="or a sequence number, with its --shard$"):
        bound("noon")


def test_written_moment_is_to_the_second() -> None:
    """In UTC, as it can be typed again."""
    assert (written(60.9), day(86400)) == ("1970-01-01T00:01:00Z", "1970-01-02")


def test_bound_of_digits_is_a_sequence_number() -> None:
    """Kinesis' own have 56 digits, an emulator's may have one."""
    assert bound("7") == Bound(sequence_number=7)
    assert bound("4" * 56) == Bound(sequence_number=int("4" * 56))


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, {"ShardIteratorType": "TRIM_HORIZON"}),
        (Bound(time=1.5), {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.5}),
        (
            Bound(sequence_number=7),
            {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "7"},
        ),
    ],
)
def test_span_begins_where_it_is_told(start: Bound | None, expected: dict[str, Any]) -> None:
    """Kinesis finds the place."""
    assert Span(start, Bound(time=9)).iterator == expected


@pytest.mark.parametrize(
    ("end", "numbers"),
    [
        (Bound(time=2.0), ["8"]),
        (Bound(time=2.1), ["8", "9"]),
        (Bound(sequence_number=9), ["8", "9"]),
        (Bound(sequence_number=100), ["8", "9", "10"]),
    ],
)
def test_span_ends_before_a_time_or_with_a_record(end: Bound, numbers: list[str]) -> None:
    """Numbers are compared as numbers, not as text."""
    span = Span(None, end)

    assert [r["SequenceNumber"] for r in span.part_of(PAGE)] == numbers
    assert not span.ends_before(PAGE)


def test_span_is_over_when_a_whole_page_is_past_it() -> None:
    """One late record is no end: arrival times are approximate. An empty page says nothing."""
    span = Span(None, Bound(time=1.0))

    assert span.ends_before(PAGE)
    assert not span.ends_before([])
