"""Streams with more shards than one page of ListShards holds."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.shards import shards_of
from event_source_mapping.stream_reader import StreamReader
from tests.mapping import KEY_OF_LAST_SHARD, STREAM, FakeFunction, polling, put
from tests.polling import until

MANY = 1001


@pytest.fixture
def large() -> MemoryKinesis:
    """A stream whose last shard is on the second page."""
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=STREAM, ShardCount=MANY)
    return kinesis


def reshard(kinesis: MemoryKinesis, shards: int) -> None:
    """Split and merge a stream of one shard, until it has so many, of which one is open."""
    shard, listed = "shardId-000000000000", 1
    while listed < shards:
        kinesis.split_shard(StreamName=STREAM, ShardToSplit=shard, NewStartingHashKey=str(2**127))
        halves = [f"shardId-{listed + place:012d}" for place in range(2)]
        kinesis.merge_shards(
            StreamName=STREAM, ShardToMerge=halves[0], AdjacentShardToMerge=halves[1]
        )
        shard, listed = f"shardId-{listed + 2:012d}", listed + 3


def test_shards_of_a_large_stream_are_all_listed(large: MemoryKinesis) -> None:
    """Every shard is listed once, in order, over as many pages as there are."""
    found = [shard["ShardId"] for shard in shards_of(large, STREAM)]

    assert found == [f"shardId-{place:012d}" for place in range(MANY)]


def test_reader_reads_the_last_shard_of_a_large_stream(large: MemoryKinesis) -> None:
    """A record on a shard behind the first page is read."""
    put(large, b"1", key=KEY_OF_LAST_SHARD)

    assert len(large.all_records(STREAM, f"shardId-{MANY - 1:012d}")) == 1
    assert [record.data for record in StreamReader(large, STREAM).read()] == [b"1"]


def test_mapping_finds_the_open_shard_behind_a_thousand_closed_ones(
    kinesis: MemoryKinesis,
) -> None:
    """A stream that was resharded often lists its open shards last, and they are polled."""
    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    reshard(kinesis, MANY)
    function = FakeFunction()

    with polling(kinesis, function, starting_position="LATEST"):
        put(kinesis, b"1")
        until(lambda: function.seen)

    assert function.seen == [b"1"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (
            {"StreamName": STREAM, "NextToken": f"{STREAM}/1"},
            "NextToken and StreamName cannot be provided together",
        ),
        ({}, "Either NextToken or StreamName should be provided"),
    ],
)
def test_shards_are_refused_by_name_and_token_as_on_aws(
    kinesis: MemoryKinesis, request_: dict[str, Any], said: str
) -> None:
    """The token names the stream: a request has either the token or the name."""
    with pytest.raises(ClientError, match=f"InvalidArgumentException.*{said}"):
        kinesis.list_shards(**request_)
