"""A stream in memory, and its clock."""

import pytest

from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.clock import ManualClock
from tests.mapping import STREAM


@pytest.fixture
def kinesis() -> MemoryKinesis:
    """Kinesis with a stream of two shards."""
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    return kinesis


@pytest.fixture
def clock(kinesis: MemoryKinesis) -> ManualClock:
    """The time of the stream, in seconds since the epoch; a mapping may have the same."""
    clock = ManualClock()
    kinesis.now = clock
    return clock
