"""The edges of what is replayed: shards that are open, closed and empty, and times of all kinds."""

import pytest

from ops.replay.span import Bound, Span
from tests.mapping import KEY_OF_LAST_SHARD
from tests.unit.ops.replay.world import STREAM, World, ride

PARENT = "shardId-000000000000"
# Partition keys of the parent's two children, after a split in the middle.
LOW, HIGH = "a", "b"


def replayed(world: World, start: Bound | None, end: Bound, only: str | None = None) -> list[int]:
    """Which records are scored, by their place."""
    events = world.replay(Span(start, end), only)
    return [world.numbers.index(event["event_id"].rpartition(":")[2]) for event in events]


def at(time: float) -> Bound:
    return Bound(time=time)


@pytest.fixture
def split() -> World:
    """Two rides before a split, and one in each child after it."""
    world = World()
    for _ in range(2):
        world.put(ride(1), key=LOW)
        world.put(ride(1), key=HIGH)
        if world.time == 2:
            world.kinesis.split_shard(
                StreamName=STREAM, ShardToSplit=PARENT, NewStartingHashKey=str(2**127)
            )
    return world


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
    world = World()
    world.put(ride(1), ride(2), ride(3))

    assert replayed(world, start, end) == expected


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
    split: World, start: Bound | None, end: Bound, expected: list[int]
) -> None:
    """A closed shard is read to its end, and has nothing for times after it; children follow."""
    assert replayed(split, start, end) == expected


def test_closed_shard_is_read_between_sequence_numbers(split: World) -> None:
    """Both ends are in it; a last one that no record of the shard has reads to its end."""
    first, second, third, _ = (Bound(sequence_number=int(number)) for number in split.numbers)

    assert replayed(split, second, second, PARENT) == [1]
    assert replayed(split, first, third, PARENT) == [0, 1]
    assert replayed(split, third, third, PARENT) == []


def test_sequence_number_and_time_go_together(split: World) -> None:
    """From one record on, until a time."""
    assert replayed(split, Bound(sequence_number=int(split.numbers[0])), at(2.0), PARENT) == [0]


def test_stream_without_records_is_replayed() -> None:
    """A shard that never had a record ends at once."""
    assert replayed(World(), None, at(100.0)) == []


def test_shard_behind_a_thousand_others_is_replayed() -> None:
    """A shard on the second page of ListShards is scored, and `--shard` may name it."""
    world = World(shards=1001)
    world.put(ride(1), key=KEY_OF_LAST_SHARD)

    assert replayed(world, None, at(100.0)) == [0]
    assert replayed(world, None, at(100.0), "shardId-000000001000") == [0]
    assert replayed(world, None, at(100.0), PARENT) == []


def test_page_that_is_full_is_not_the_end() -> None:
    """More than a page of one moment, as PutRecords puts them, is replayed to the last."""
    world = World()
    world.put(*[ride(1)] * 1001)

    assert len(replayed(world, None, at(5000.0))) == 1001
