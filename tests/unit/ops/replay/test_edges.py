"""The edges of what is replayed: shards that are open, closed and empty, and times of all kinds."""

import io
from collections.abc import Sequence
from typing import Any

import pytest

from cli.terminal import Progress
from event_source_mapping.memory_kinesis import MemoryKinesis
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from ops.replay.replay import replay
from ops.replay.score import Scorer
from ops.replay.span import Bound, Span
from tests.mapping import KEY_OF_LAST_SHARD

RIDE = b'{"ride": {"PULocationID": 1, "DOLocationID": 2, "trip_distance": 3.0}, "ride_id": %d}'
PARENT = "shardId-000000000000"
# Partition keys of the parent's two children, after a split in the middle.
LOW, HIGH = "a", "b"


class Collector:
    """A sink that keeps the sequence numbers of the rides."""

    def __init__(self) -> None:
        self.numbers: list[str] = []

    def put(self, entries: Sequence[Any], deadline: Any) -> list[Any]:
        self.numbers += [entry.token.source.sequence_number for entry in entries]
        return []


class Rides:
    """A stream, usually of one shard; a ride a second, from second 1 on."""

    def __init__(self, shards: int = 1) -> None:
        self.time = 0.0
        self.kinesis = MemoryKinesis(lambda: self.time)
        self.kinesis.create_stream(StreamName="rides", ShardCount=shards)
        self.numbers: list[str] = []

    def put(self, *keys: str) -> None:
        for key in keys:
            self.time += 1
            data = RIDE % len(self.numbers)
            answer = self.kinesis.put_record(StreamName="rides", Data=data, PartitionKey=key)
            self.numbers.append(answer["SequenceNumber"])

    def split(self) -> None:
        self.kinesis.split_shard(
            StreamName="rides", ShardToSplit=PARENT, NewStartingHashKey=str(2**127)
        )

    def replayed(self, start: Bound | None, end: Bound, only: str | None = None) -> list[int]:
        """Which rides are scored, by their place."""
        sink = Collector()
        model = Model("m", "v", "ride_duration", FakePredictor(lambda _: 1.0))
        replay(
            self.kinesis,
            Scorer(model, "rides", sink),
            "rides",
            Span(start, end),
            only=only,
            progress=Progress("p", io.StringIO()),
            pause=lambda _: None,
        )
        return [self.numbers.index(number) for number in sink.numbers]


def at(time: float) -> Bound:
    return Bound(time=time)


@pytest.fixture
def split() -> Rides:
    """Two rides before a split, and one in each child after it."""
    rides = Rides()
    rides.put(LOW, HIGH)
    rides.split()
    rides.put(LOW, HIGH)
    return rides


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, at(100.0), [0, 1, 2]),
        (at(2.0), at(3.0), [1]),
        (at(1.5), at(2.5), [1]),
        (at(0.0), at(1.0), []),
        (at(3.5), at(100.0), []),
    ],
)
def test_open_shard_is_read_from_the_first_time_to_before_the_last(
    start: Bound | None, end: Bound, expected: list[int]
) -> None:
    """Also where nothing came, and up to a time that is still to come."""
    rides = Rides()
    rides.put("a", "a", "a")

    assert rides.replayed(start, end) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, at(100.0), [0, 1, 2, 3]),
        (at(2.0), at(4.0), [1, 2]),
        (at(3.0), at(100.0), [2, 3]),
        (None, at(3.0), [0, 1]),
    ],
)
def test_times_reach_over_a_split(
    split: Rides, start: Bound | None, end: Bound, expected: list[int]
) -> None:
    """A closed shard is read to its end, and has nothing for times after it; children follow."""
    assert split.replayed(start, end) == expected


def test_closed_shard_is_read_between_sequence_numbers(split: Rides) -> None:
    """Both ends are in it; a last one that no record of the shard has reads to its end."""
    first, second, third, _ = (Bound(sequence_number=int(number)) for number in split.numbers)

    assert split.replayed(second, second, PARENT) == [1]
    assert split.replayed(first, third, PARENT) == [0, 1]
    assert split.replayed(third, third, PARENT) == []


def test_sequence_number_and_time_go_together(split: Rides) -> None:
    """From one record on, until a time."""
    assert split.replayed(Bound(sequence_number=int(split.numbers[0])), at(2.0), PARENT) == [0]


def test_stream_without_records_is_replayed() -> None:
    """A shard that never had a record ends at once."""
    assert Rides().replayed(None, at(100.0)) == []


def test_shard_behind_a_thousand_others_is_replayed() -> None:
    """A shard on the second page of ListShards is scored, and `--shard` may name it."""
    rides = Rides(shards=1001)
    rides.put(KEY_OF_LAST_SHARD)

    assert rides.replayed(None, at(100.0)) == [0]
    assert rides.replayed(None, at(100.0), "shardId-000000001000") == [0]


def test_page_that_is_full_is_not_the_end() -> None:
    """More than a page of one moment, as PutRecords puts them, is replayed to the last."""
    rides = Rides()
    rides.put(*["a"] * 1001)

    assert len(rides.replayed(None, at(5000.0))) == 1001
