"""A mapping on a stream in memory."""

import pytest

from event_source_mapping import mapping, poller
from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.mapping import STREAM


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> MemoryKinesis:
    """Kinesis with a stream of two shards, which a mapping looks at often."""
    monkeypatch.setattr(mapping, "DISCOVERY_SECONDS", 0.01)
    monkeypatch.setattr(poller, "BACKOFF_SECONDS", 0.001)
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    return kinesis
