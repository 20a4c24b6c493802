"""How a mapping reads a shard: how often, how much of it, and to its end."""

import threading
from pathlib import Path
from typing import Any

import pytest

from event_source_mapping.checkpoints import SHARD_END, FileCheckpoints, MemoryCheckpoints
from event_source_mapping.destination import NoDestination
from event_source_mapping.lambda_records import MAX_EVENT_BYTES, SourceShard
from event_source_mapping.mapping import EventSourceMapping
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.poller import CATCH_UP_SECONDS, ShardPoller
from tests.kpl import aggregate
from tests.mapping import STREAM, CountingKinesis, FakeFunction, NotingCheckpoints, polling, put
from tests.polling import until

AN_HOUR = 3600.0


def test_mapping_polls_as_often_as_it_is_told(kinesis: MemoryKinesis) -> None:
    """A shard that was read to its end is read again after poll_seconds, and not before."""
    counting, function = CountingKinesis(kinesis), FakeFunction()
    put(kinesis, b"first")

    with polling(counting, function, poll_seconds=AN_HOUR):
        until(lambda: function.seen)
        put(kinesis, b"second")

    assert function.seen == [b"first"]
    assert counting.reads <= 2  # of two shards


def test_poller_waits_for_the_next_poll_at_the_end_of_a_shard_alone(kinesis: MemoryKinesis) -> None:
    """While a read leaves records behind, the next one comes soon, however seldom polls do."""
    for _ in range(11):
        put(kinesis, *[b"ride"] * 1000)
    poller = poller_of_the_shard_with_records(kinesis, poll_seconds=AN_HOUR, parallelization=2)

    pauses = []
    for _ in range(2):
        poller._take(poller._reader.read())
        pauses.append(poller._pause_seconds())

    assert pauses == [CATCH_UP_SECONDS, AN_HOUR]


def poller_of_the_shard_with_records(
    kinesis: MemoryKinesis | CountingKinesis, **changes: Any
) -> ShardPoller:
    settings = MappingSettings("Rides", STREAM, "TRIM_HORIZON", batch_size=10_000, **changes)
    (shard_id,) = (
        shard["ShardId"]
        for shard in kinesis.list_shards(StreamName=STREAM)["Shards"]
        if kinesis.all_records(STREAM, shard["ShardId"])
    )
    shard = SourceShard("arn:aws:kinesis:r:1:stream/s", shard_id)
    return ShardPoller(
        kinesis, FakeFunction(), settings, NoDestination(), shard, MemoryCheckpoints()
    )


def test_mapping_reads_on_without_waiting_until_it_has_caught_up(kinesis: MemoryKinesis) -> None:
    """While there are more records, the next read does not wait for the next poll."""
    for _ in range(25):
        put(kinesis, *[b"ride"] * 1000)
    function = FakeFunction()

    with polling(kinesis, function, batch_size=10_000, poll_seconds=AN_HOUR):
        until(lambda: len(function.seen) == 25_000)


@pytest.mark.parametrize(("parallelization", "payloads"), [(1, 1), (10, 2)])
def test_poller_holds_a_few_payloads_and_no_more(
    kinesis: MemoryKinesis, parallelization: int, payloads: int
) -> None:
    """However large a batch may be, what waits for a function is a payload or two, and a read."""
    for _ in range(60):
        put(kinesis, bytes(1_000_000))
    counting = CountingKinesis(kinesis)
    poller = poller_of_the_shard_with_records(counting, parallelization=parallelization)

    for _ in range(20):
        if poller._has_room():
            poller._take(poller._reader.read())

    assert 0 < counting.bytes <= payloads * MAX_EVENT_BYTES + 10 * 1024 * 1024


def test_mapping_waits_for_the_children_until_the_end_of_a_shard_is_kept(
    kinesis: MemoryKinesis,
) -> None:
    """A checkpoint that cannot be saved at a shard's end is tried again; its children come then."""

    class Full(NotingCheckpoints):
        failures = 3

        def save(self, shard_id: str, checkpoint: str) -> None:
            if checkpoint == SHARD_END and self.failures:
                self.failures -= 1
                raise OSError("no space left on device")
            super().save(shard_id, checkpoint)

    function = FakeFunction()
    put(kinesis, b"before")
    one, other = kinesis.list_shards(StreamName=STREAM)["Shards"]
    kinesis.merge_shards(
        StreamName=STREAM, ShardToMerge=one["ShardId"], AdjacentShardToMerge=other["ShardId"]
    )
    put(kinesis, b"after")

    with polling(kinesis, function, checkpoints=Full()):
        until(lambda: len(function.seen) == 2)

    assert function.seen == [b"before", b"after"]


def test_mapping_that_stops_while_it_invokes_keeps_what_that_has_done(
    kinesis: MemoryKinesis, tmp_path: Path
) -> None:
    """A stop waits for the invocation under way, and the next mapping does not repeat it."""
    began, goes_on = threading.Event(), threading.Event()

    def answer(_: list[bytes]) -> None:
        began.set()
        goes_on.wait(30)

    first, second = FakeFunction(answer), FakeFunction()
    checkpoints = FileCheckpoints(tmp_path / "checkpoints.json")
    put(kinesis, b"1", b"2", b"3")
    settings = MappingSettings("Rides", STREAM, "TRIM_HORIZON", batch_size=2)
    mapping = EventSourceMapping(kinesis, first, settings, NoDestination(), checkpoints)
    mapping.start()
    began.wait(30)
    stopping = threading.Thread(target=mapping.stop)
    stopping.start()
    until(lambda: all(poller._over.is_set() for poller, _ in mapping._pollers.values()))
    goes_on.set()
    stopping.join(30)
    with polling(kinesis, second, checkpoints=checkpoints, batch_size=2):
        until(lambda: second.seen)

    assert (first.batches, second.batches) == ([[b"1", b"2"]], [[b"3"]])


def test_mapping_does_not_begin_in_the_future(kinesis: MemoryKinesis) -> None:
    """CreateEventSourceMapping: StartingPositionTimestamp cannot be in the future."""
    settings = MappingSettings("Rides", STREAM, "AT_TIMESTAMP", starting_timestamp=101)

    with pytest.raises(TemplateError, match="Rides: StartingPositionTimestamp is 101; it must not"):
        EventSourceMapping(kinesis, FakeFunction(), settings, NoDestination(), now=lambda: 100)


def test_function_of_two_streams_gets_batches_of_one(kinesis: MemoryKinesis) -> None:
    """One function may have many mappings; a batch has records of one of their streams."""
    kinesis.create_stream(StreamName="other_events", ShardCount=1)
    function = FakeFunction()
    put(kinesis, b"one")
    kinesis.put_record(StreamName="other_events", Data=b"other", PartitionKey="key")

    with polling(kinesis, function), polling(kinesis, function, stream="other_events"):
        until(lambda: len(function.seen) == 2)

    assert sorted(function.batches) == [[b"one"], [b"other"]]


def test_mapping_in_parallel_keeps_aggregates_of_a_key_in_order(kinesis: MemoryKinesis) -> None:
    """An aggregate goes by the key of the record that holds it, whatever keys are in it."""
    function = FakeFunction()
    aggregates = [
        aggregate([(f"key-{n}", b"%d" % n), (f"key-{n + 1}", b"%d" % n)]) for n in range(20)
    ]
    put(kinesis, *aggregates, key="outer")

    with polling(kinesis, function, batch_size=3, parallelization=4):
        until(lambda: len(function.seen) == len(aggregates))

    assert function.seen == aggregates
