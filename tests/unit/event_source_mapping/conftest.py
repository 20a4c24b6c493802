"""A stream in memory."""

import pytest

from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.mapping import STREAM


@pytest.fixture
def kinesis() -> MemoryKinesis:
    """Kinesis with a stream of two shards."""
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    return kinesis
