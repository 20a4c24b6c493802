"""The mapping on a stream whose shards are split and merged."""

from typing import Any

import pytest

from event_source_mapping.checkpoints import SHARD_END
from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.mapping import STREAM, FakeFunction, NotingCheckpoints, polling, put, split_shards
from tests.polling import until


def open_shards(kinesis: MemoryKinesis) -> list[dict[str, Any]]:
    shards = kinesis.list_shards(StreamName=STREAM)["Shards"]
    return [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]


@pytest.mark.parametrize("starting_position", ["TRIM_HORIZON", "LATEST"])
def test_mapping_follows_a_split_parents_first(
    kinesis: MemoryKinesis, starting_position: str
) -> None:
    """Records of a shard that was split come before those of its children, and none is lost."""
    function = FakeFunction()
    keys = [f"key-{n}" for n in range(20)]

    with polling(
        kinesis, function, starting_position=starting_position, batch_size=3
    ) as checkpoints:
        for key in keys:
            put(kinesis, f"{key} before".encode(), key=key)
        split_shards(kinesis)
        for key in keys:
            put(kinesis, f"{key} after".encode(), key=key)
        until(lambda: len(function.seen) >= 2 * len(keys))

    assert sorted(function.seen) == sorted(
        f"{key} {when}".encode() for key in keys for when in ("before", "after")
    )
    for key in keys:
        before, after = (f"{key} {when}".encode() for when in ("before", "after"))
        assert function.seen.index(before) < function.seen.index(after)
    assert checkpoints.values().count(SHARD_END) == 2


def test_mapping_follows_a_merge_after_both_parents(kinesis: MemoryKinesis) -> None:
    """The child of two shards begins when both of them are done."""
    one, other = open_shards(kinesis)
    function = FakeFunction()
    keys = [f"key-{n}" for n in range(20)]

    for key in keys:
        put(kinesis, f"{key} before".encode(), key=key)
    kinesis.merge_shards(
        StreamName=STREAM, ShardToMerge=one["ShardId"], AdjacentShardToMerge=other["ShardId"]
    )
    for key in keys:
        put(kinesis, f"{key} after".encode(), key=key)
    with polling(kinesis, function, batch_size=3):
        until(lambda: len(function.seen) >= 2 * len(keys))

    whens = [payload.split()[1] for payload in function.seen]
    assert whens == [b"before"] * len(keys) + [b"after"] * len(keys)


def test_mapping_from_latest_passes_over_shards_that_are_closed(kinesis: MemoryKinesis) -> None:
    """What lies on shards that were split before the mapping began is not delivered."""
    put(kinesis, b"old")
    split_shards(kinesis)
    function = FakeFunction()

    with polling(kinesis, function, starting_position="LATEST") as checkpoints:
        put(kinesis, b"new")
        until(lambda: function.seen)

    assert function.seen == [b"new"]
    assert checkpoints.values().count(SHARD_END) == 2


@pytest.mark.parametrize("splits_meanwhile", [False, True])
def test_mapping_from_latest_misses_nothing_over_a_restart(
    kinesis: MemoryKinesis, splits_meanwhile: bool
) -> None:
    """What comes while a mapping is stopped is delivered after it, also on shards that are new."""
    put(kinesis, b"old")
    checkpoints, first, second = NotingCheckpoints(), FakeFunction(), FakeFunction()
    with polling(kinesis, first, checkpoints=checkpoints, starting_position="LATEST"):
        pass
    put(kinesis, b"meanwhile", key="a")
    if splits_meanwhile:
        split_shards(kinesis)
        put(kinesis, b"on a child", key="a")

    wanted = [b"meanwhile", b"on a child"] if splits_meanwhile else [b"meanwhile"]
    with polling(kinesis, second, checkpoints=checkpoints, starting_position="LATEST"):
        until(lambda: len(second.seen) >= len(wanted))

    assert (first.seen, second.seen) == ([], wanted)


class WithoutOneShard:
    """A Kinesis client that refuses to open one shard, for so many times."""

    def __init__(self, kinesis: MemoryKinesis, shard_id: str) -> None:
        self._kinesis = kinesis
        self._shard_id = shard_id
        self.refusals_left = 10**9

    def get_shard_iterator(self, **request: Any) -> Any:
        if request["ShardId"] == self._shard_id and self.refusals_left:
            self.refusals_left -= 1
            raise ConnectionError("throttled")
        return self._kinesis.get_shard_iterator(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kinesis, name)


def test_mapping_reads_every_child_though_opening_one_fails(kinesis: MemoryKinesis) -> None:
    """A shard that cannot be opened is tried again, and keeps no other from being read."""
    keys = [f"key-{n}" for n in range(20)]
    split_shards(kinesis)
    for key in keys:
        put(kinesis, key.encode(), key=key)
    first, *others = (shard["ShardId"] for shard in open_shards(kinesis))
    elsewhere = sum(len(kinesis.all_records(STREAM, shard)) for shard in others)
    client, function = WithoutOneShard(kinesis, first), FakeFunction()

    with polling(client, function):
        until(lambda: len(function.seen) == elsewhere)
        client.refusals_left = 1
        until(lambda: len(function.seen) == len(keys))

    assert 0 < elsewhere < len(keys)
    assert sorted(function.seen) == sorted(key.encode() for key in keys)
