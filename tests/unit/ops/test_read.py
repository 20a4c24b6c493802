from typing import Any

import pytest
from botocore.exceptions import NoRegionError

from event_source_mapping.memory_kinesis import MemoryKinesis
from ops.read import main, records
from streams.aggregation import MAGIC
from tests.kpl import aggregate
from tests.mapping import KEY_OF_LAST_SHARD


def stream(*payloads: bytes, name: str = "rides", shards: int = 2) -> MemoryKinesis:
    """A stream with these payloads, under keys of its first and its last shard in turn."""
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    for place, data in enumerate(payloads):
        key = KEY_OF_LAST_SHARD if place % 2 else "a"
        kinesis.put_record(StreamName=name, Data=data, PartitionKey=key)
    return kinesis


@pytest.mark.parametrize("shards", [2, 1001])
def test_records_of_every_shard_are_read_in_order(shards: int) -> None:
    """Shard by shard, also those on the second page of ListShards."""
    kinesis = stream(b"1", b"3", b"2", b"4", shards=shards)

    assert list(records(kinesis, "rides", pause=lambda _: None)) == [b"1", b"2", b"3", b"4"]


def test_records_that_are_aggregated_are_taken_apart() -> None:
    """Each user record is a line; what only begins like an aggregate is read as it is."""
    kinesis = stream(aggregate([("a", b"1"), ("b", b"2")]), MAGIC)

    assert list(records(kinesis, "rides", pause=lambda _: None)) == [b"1", b"2", MAGIC]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(["rides"], "rides"), ([], "ride_predictions"), ([""], "ride_predictions")],
)
def test_main_prints_a_line_for_each_record(
    capsysbinary: pytest.CaptureFixture[bytes], arguments: list[str], name: str
) -> None:
    """Each record is printed unchanged; the default stream is `ride_predictions`."""
    kinesis: Any = stream(b'{"a": 1}', b"\xff", name=name)

    assert main(arguments, lambda _: kinesis) == 0
    assert capsysbinary.readouterr().out == b'{"a": 1}\n\xff\n'


def test_main_without_a_region_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """What AWS or its settings lack is told in one line."""

    def connect(_: str) -> Any:
        raise NoRegionError

    assert main(["rides"], connect) == 1
    assert capsys.readouterr().err == (
        "the stream 'rides' cannot be read: You must specify a region; set AWS_DEFAULT_REGION, "
        "such as to eu-west-1, or 'source .local/env' for the stack of 'make up'\n"
    )
