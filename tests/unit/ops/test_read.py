from typing import Any

import pytest
from botocore.exceptions import NoRegionError

from event_source_mapping.memory_kinesis import MemoryKinesis
from ops.read import main, records
from streams.aggregation import MAGIC
from tests.kpl import aggregate
from tests.mapping import KEY_OF_LAST_SHARD

Answers = list[dict[str, Any]]


class FakeStream:
    """A stream whose shards give certain answers, one after the other."""

    def __init__(self, shards: dict[str, Answers]) -> None:
        self._shards = shards
        self.asked: list[str] = []

    def list_shards(self, *, StreamName: str = "", NextToken: str = "") -> dict[str, Any]:
        self.asked.append(StreamName)
        return {"Shards": [{"ShardId": name} for name in self._shards]}

    def get_shard_iterator(self, ShardId: str, **request: str) -> dict[str, str]:
        assert request["ShardIteratorType"] == "TRIM_HORIZON"
        return {"ShardIterator": f"{ShardId} 0"}

    def __call__(self, service: str) -> Any:
        """Return this stream as the client."""
        assert service == "kinesis"
        return self

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:
        name, place = ShardIterator.split()
        following = int(place) + 1
        return {"NextShardIterator": f"{name} {following}", **self._shards[name][int(place)]}


def answer(*data: bytes, behind: int = 0, **other: Any) -> dict[str, Any]:
    found = [{"Data": each, "SequenceNumber": each.decode("latin-1")} for each in data]
    return {"Records": found, "MillisBehindLatest": behind, **other}


def read(shards: dict[str, Answers]) -> list[bytes]:
    return list(records(FakeStream(shards), "rides", pause=lambda _: None))


def test_records_are_read_to_the_end_of_every_shard() -> None:
    """An answer without records is no end while there is something behind it."""
    shards = {
        "one": [answer(b"1", behind=9), answer(behind=5), answer(b"2", b"3")],
        "two": [answer(b"4")],
    }

    assert read(shards) == [b"1", b"2", b"3", b"4"]


def test_records_of_a_closed_shard_end_where_it_does() -> None:
    """A shard that was split or merged has no iterator after its last record."""
    assert read({"one": [answer(b"1", behind=9, NextShardIterator=None)]}) == [b"1"]


def test_records_that_are_aggregated_are_taken_apart() -> None:
    """Each user record is a line; what only begins like an aggregate is read as it is."""
    shards = {"one": [answer(aggregate([("a", b"1"), ("b", b"2")]), MAGIC)]}

    assert read(shards) == [b"1", b"2", MAGIC]


def test_records_behind_a_thousand_shards_are_read() -> None:
    """A shard on the second page of ListShards is read like every other."""
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName="rides", ShardCount=1001)
    kinesis.put_record(StreamName="rides", Data=b"1", PartitionKey=KEY_OF_LAST_SHARD)

    assert list(records(kinesis, "rides", pause=lambda _: None)) == [b"1"]


def test_main_prints_a_line_for_each_record(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Records come out as they are, and nothing else does."""
    stream = FakeStream({"one": [answer(b'{"a": 1}', b"\xff")]})

    assert main(["rides"], stream) == 0

    assert capsysbinary.readouterr().out == b'{"a": 1}\n\xff\n'
    assert stream.asked == ["rides"]


@pytest.mark.parametrize("arguments", [[], [""]])
def test_main_reads_the_predictions_unless_told(arguments: list[str]) -> None:
    """Without a name it is the output stream's usual one."""
    stream = FakeStream({})

    assert main(arguments, stream) == 0
    assert stream.asked == ["ride_predictions"]


def test_main_without_a_region_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """What AWS or its settings lack is told in one line."""

    def connect(_: str) -> Any:
        raise NoRegionError

    assert main(["rides"], connect) == 1
    assert capsys.readouterr().err == (
        "the stream 'rides' cannot be read: You must specify a region; set AWS_DEFAULT_REGION, "
        "such as to eu-west-1, or 'source .local/env' for the stack of 'make up'\n"
    )
