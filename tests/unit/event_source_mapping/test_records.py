import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_source_mapping.lambda_records import (
    MAX_EVENT_BYTES,
    Record,
    SourceShard,
    head,
    lambda_event,
)
from streams.records import source_records

SHARD = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/ride_events", "shardId-7")


def record(number: int, size: int = 2, key: str = "key") -> Record:
    return Record(str(number), key, b"x" * size, 1654161514.5)


def test_lambda_event_is_read_by_the_function() -> None:
    """What the mapping makes of a record is what the function takes for one."""
    (read,) = source_records(lambda_event([record(5)], SHARD))

    assert base64.b64decode(read.data) == b"xx"
    assert (read.sequence_number, read.partition_key) == ("5", "key")
    assert (read.shard, read.stream) == ("shardId-7", "ride_events")
    assert read.arrival_time == 1654161514.5


def test_head_is_limited_by_the_batch_size() -> None:
    """A batch has at most as many records as the mapping says."""
    assert len(head([record(n) for n in range(10)], 4)) == 4


def test_head_of_nothing_is_nothing() -> None:
    """No records make no batch."""
    assert head([], 4) == []


@pytest.mark.parametrize("size", [MAX_EVENT_BYTES, 10 * 1024 * 1024])
def test_head_has_one_record_even_if_that_is_too_large(size: int) -> None:
    """A record that is too large goes alone, rather than blocking the shard unseen."""
    assert len(head([record(1, size), record(2)], 10)) == 1


@given(
    st.lists(st.tuples(st.integers(0, 2_000_000), st.text(min_size=1, max_size=256)), max_size=9)
)
def test_head_event_stays_within_lambdas_payload_limit(shapes: list[tuple[int, str]]) -> None:
    """No event is larger than what an invocation takes."""
    records = [record(2**180 + n, size, key) for n, (size, key) in enumerate(shapes)]

    event = msgspec.json.encode(lambda_event(head(records, 10_000), SHARD))

    assert len(event) <= MAX_EVENT_BYTES
