from typing import Any

import pytest
from botocore.exceptions import ClientError

from event_source_mapping.memory_kinesis import MemoryKinesis
from streams.shard_reader import MAX_THROTTLED, THROTTLED_SECONDS, pages


class BusyShard:
    """A shard that refuses some reads, and has one record."""

    def __init__(self, refusals: int, code: str = "ProvisionedThroughputExceededException") -> None:
        self.refusals = refusals
        self.code = code
        self.requests: list[dict[str, Any]] = []

    def get_shard_iterator(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"ShardIterator": "one"}

    def get_records(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.refusals:
            self.refusals -= 1
            raise ClientError({"Error": {"Code": self.code}}, "GetRecords")
        return {"Records": [{"Data": b"1", "SequenceNumber": "1"}], "MillisBehindLatest": 0}


def read(shard: BusyShard) -> tuple[list[Any], list[float]]:
    waits: list[float] = []
    found = list(pages(shard, "rides", "shard", pause=waits.append, limit=7))
    return [record["Data"] for page in found for record in page], waits


def test_throttled_reader_waits_and_reads_on() -> None:
    """Others, the function among them, read the shard, too."""
    assert read(BusyShard(3)) == ([b"1"], [THROTTLED_SECONDS] * 3)


def test_reader_that_is_throttled_for_long_gives_up() -> None:
    """After half a minute the error is told."""
    with pytest.raises(ClientError):
        read(BusyShard(MAX_THROTTLED + 1))


def test_other_errors_are_told_at_once() -> None:
    """Only throttling passes by itself."""
    shard = BusyShard(1, "AccessDeniedException")

    with pytest.raises(ClientError):
        read(shard)
    assert len(shard.requests) == 2


def test_pages_have_at_most_what_is_asked_for() -> None:
    """The limit goes with each call."""
    shard = BusyShard(0)
    read(shard)

    assert shard.requests[-1] == {"ShardIterator": "one", "Limit": 7}


def test_closed_shard_ends_without_a_next_iterator() -> None:
    """Reading a closed shard ends when Kinesis returns no next iterator, even on a full page."""
    (page,) = pages(BusyShard(0), "rides", "shard", pause=lambda _: None, limit=1)

    assert [record["Data"] for record in page] == [b"1"]


class ForgetfulKinesis(MemoryKinesis):
    """Every second iterator has expired when it is used."""

    uses = 0

    def get_records(self, **request: Any) -> Any:
        self.uses += 1
        if self.uses % 2:
            raise ClientError({"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords")
        return super().get_records(**request)


class SparseKinesis(MemoryKinesis):
    """Every second read gives nothing, and the records are still to come."""

    reads = 0

    def get_records(self, **request: Any) -> Any:
        self.reads += 1
        if self.reads % 2:
            iterator = request["ShardIterator"]
            return {"Records": [], "MillisBehindLatest": 1, "NextShardIterator": iterator}
        return super().get_records(**request)


@pytest.mark.parametrize("kinesis", [MemoryKinesis(), ForgetfulKinesis(), SparseKinesis()])
def test_shard_is_read_to_its_end_whatever_happens_to_iterators(kinesis: MemoryKinesis) -> None:
    """Five minutes over a page, full pages and empty ones skip and repeat nothing."""
    kinesis.create_stream(StreamName="rides", ShardCount=1)
    for number in range(5):
        kinesis.put_record(StreamName="rides", Data=bytes([number]), PartitionKey="key")

    found = list(pages(kinesis, "rides", "shardId-000000000000", pause=lambda _: None, limit=2))

    assert [r["Data"] for page in found for r in page] == [bytes([n]) for n in range(5)]
