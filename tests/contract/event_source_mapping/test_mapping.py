"""The local event source mapping, polling moto's Kinesis."""

import threading
import time
from typing import TYPE_CHECKING

import pytest

from event_source_mapping.batches import Batch, Condition, GivenUp
from event_source_mapping.emulator import Emulator
from event_source_mapping.function import FunctionFailed
from event_source_mapping.lambda_records import Record, SourceShard
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.poller import ShardPoller
from tests.mapping import (
    STREAM,
    CountingKinesis,
    FakeDestination,
    FakeFunction,
    NotingCheckpoints,
    fails_with,
    poll_to,
    polling,
    put,
)
from tests.polling import until

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient


@pytest.fixture
def kinesis(aws: Emulator) -> "KinesisClient":
    client = aws.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=2)
    return client


def test_mapping_delivers_every_record_in_the_order_of_its_shard(kinesis: "KinesisClient") -> None:
    """Records come once, in order within a shard, in batches of at most the batch size."""
    numbers = [str(n).encode() for n in range(25)]
    put(kinesis, *numbers, key="a")
    put(kinesis, *numbers, key="f")
    function = FakeFunction()

    with polling(kinesis, function, batch_size=10):
        until(lambda: len(function.seen) == 50)

    assert sorted(function.seen) == sorted(numbers * 2)
    assert max(len(batch) for batch in function.batches) == 10


def test_mapping_from_latest_skips_what_was_there(kinesis: "KinesisClient") -> None:
    """With LATEST, records from before the mapping are not delivered."""
    put(kinesis, b"old")
    function = FakeFunction()

    with polling(kinesis, function, starting_position="LATEST"):
        put(kinesis, b"new")
        until(lambda: function.seen)

    assert function.seen == [b"new"]


def test_mapping_waits_for_a_full_batch_within_the_window(kinesis: "KinesisClient") -> None:
    """Records that come one after the other within the window make one batch."""
    function, counting = FakeFunction(), CountingKinesis(kinesis)

    with polling(counting, function, batch_size=3, batching_window_seconds=300):
        for data in (b"1", b"2", b"3"):
            put(kinesis, data)
            reads = counting.reads
            until(lambda: counting.reads > reads + 4)  # noqa: B023 - used at once
        until(lambda: function.batches)

    assert function.batches == [[b"1", b"2", b"3"]]


def test_mapping_failed_invocation_moves_no_checkpoint(kinesis: "KinesisClient") -> None:
    """While a batch fails as a whole, the checkpoint stays before it, and waits grow."""
    put(kinesis, b"1", b"2")

    def fails(payloads: list[bytes]) -> None:
        raise FunctionFailed("down")

    function = FakeFunction(fails)

    with polling(kinesis, function) as checkpoints:
        until(lambda: len(function.batches) >= 3)
        moved = checkpoints.values()

    assert moved == []
    assert set(map(tuple, function.batches)) == {(b"1", b"2")}


def test_mapping_survives_whatever_an_invoker_raises(kinesis: "KinesisClient") -> None:
    """An invoker that raises something unforeseen is tried again, and the shard goes on."""
    *_, last = put(kinesis, b"1")
    errors = iter([RuntimeError("bug"), ConnectionError("reset")])

    def answer(payloads: list[bytes]) -> None:
        for error in errors:
            raise error

    function = FakeFunction(answer)

    poll_to(last, kinesis, function)

    assert function.batches == [[b"1"]] * 3


def test_mapping_stopped_while_giving_up_keeps_the_batch(kinesis: "KinesisClient") -> None:
    """A mapping that stops before the destination has a batch moves no checkpoint past it."""
    put(kinesis, b"poison")
    put(kinesis, b"after")
    down = FakeDestination(failures=10**9)
    function = FakeFunction(fails_with(b"poison"))

    with polling(kinesis, function, down, batch_size=1, max_retries=0) as checkpoints:
        until(lambda: function.batches)

    assert checkpoints.values() == []
    assert b"after" not in function.seen


def test_mapping_stopped_while_giving_up_old_records_leaves_the_young_ones(
    kinesis: "KinesisClient",
) -> None:
    """A mapping that stops before old records are safe does not go on to those behind them."""
    put(kinesis, b"old", b"young")
    trying = threading.Event()

    class Down:
        def put(self, given_up: GivenUp, shard: SourceShard) -> None:
            trying.set()
            raise ConnectionError("down")

    function = FakeFunction()
    batch = Batch(
        [Record("1", "key", b"old", arrival_time=0), Record("2", "key", b"young", arrival_time=90)]
    )
    settings = MappingSettings("Rides", STREAM, "TRIM_HORIZON", max_record_age_seconds=60)
    shard = SourceShard("arn:aws:kinesis:r:1:stream/s", "shardId-000000000000")
    checkpoints = NotingCheckpoints()
    one = ShardPoller(kinesis, function, settings, Down(), shard, checkpoints, now=lambda: 100)
    processing = threading.Thread(target=one._process, args=(batch,))
    processing.start()
    trying.wait(30)
    one.stop()
    processing.join(30)

    assert (function.batches, checkpoints.values()) == ([], [])


def test_mapping_from_latest_misses_nothing_after_a_failed_read(kinesis: "KinesisClient") -> None:
    """LATEST is where the mapping began, also if its first read has to be repeated."""
    put(kinesis, b"old")
    began = threading.Event()

    def fails(read: int) -> bool:
        began.wait(30)
        return read <= 2

    function = FakeFunction()
    with polling(CountingKinesis(kinesis, fails), function, starting_position="LATEST"):
        put(kinesis, b"new")
        began.set()
        until(lambda: b"new" in function.seen)

    assert function.seen == [b"new"]


def test_mapping_ignores_item_failures_unless_they_are_asked_for(kinesis: "KinesisClient") -> None:
    """Without ReportBatchItemFailures, an answer says nothing."""
    *_, last = put(kinesis, b"1", b"2")
    function = FakeFunction(lambda _: {"batchItemFailures": [{"itemIdentifier": last}]})

    poll_to(last, kinesis, function)

    assert function.batches == [[b"1", b"2"]]


def test_mapping_bisects_until_the_poison_is_alone_and_gives_it_up(
    kinesis: "KinesisClient",
) -> None:
    """With bisecting on, one bad record goes to the destination, and all others are done."""
    payloads = [str(n).encode() for n in range(8)]
    payloads[5] = b"poison"
    *_, last = put(kinesis, *payloads)
    function, destination = FakeFunction(fails_with(b"poison")), FakeDestination()

    poll_to(last, kinesis, function, destination, bisect_on_error=True, max_retries=2)

    done = [p for batch in function.batches if b"poison" not in batch for p in batch]
    assert sorted(done) == sorted(set(payloads) - {b"poison"})
    assert destination.payloads == [[b"poison"]]
    assert function.batches.count([b"poison"]) == 3
    assert destination.given_up[0].condition == Condition.RETRIES


def test_mapping_does_not_move_on_before_the_destination_has_the_batch(
    kinesis: "KinesisClient",
) -> None:
    """While the destination is down, the batch is neither dropped nor passed."""
    put(kinesis, b"poison")
    *_, last = put(kinesis, b"after")
    destination = FakeDestination(failures=3)

    poll_to(
        last, kinesis, FakeFunction(fails_with(b"poison")), destination, batch_size=1, max_retries=0
    )

    assert destination.payloads == [[b"poison"]]


def test_mapping_without_a_destination_drops_what_it_gives_up(kinesis: "KinesisClient") -> None:
    """Without an on-failure destination, what is given up is gone, and the shard goes on."""
    put(kinesis, b"poison")
    *_, last = put(kinesis, b"after")
    function = FakeFunction(fails_with(b"poison"))

    poll_to(last, kinesis, function, batch_size=1, max_retries=0)

    assert function.seen == [b"poison", b"after"]


def test_mapping_reads_on_after_its_iterator_expired(kinesis: "KinesisClient") -> None:
    """A read that fails is repeated from the last record read: none is lost, none comes twice."""
    function = FakeFunction()

    with polling(CountingKinesis(kinesis, lambda read: read % 3 == 0), function):
        for number in range(10):
            put(kinesis, str(number).encode())
            until(lambda: len(function.seen) == number + 1)  # noqa: B023 - used at once

    assert function.seen == [str(number).encode() for number in range(10)]


def test_mapping_from_a_time_skips_what_came_before(kinesis: "KinesisClient") -> None:
    """With AT_TIMESTAMP, only records from then on are delivered."""
    put(kinesis, b"old")
    (shard, *_) = kinesis.list_shards(StreamName=STREAM)["Shards"]
    pause = threading.Event()
    pause.wait(0.02)
    now = time.time()
    pause.wait(0.02)
    put(kinesis, b"new")
    function = FakeFunction()

    with polling(kinesis, function, starting_position="AT_TIMESTAMP", starting_timestamp=now):
        until(lambda: function.seen)

    assert function.seen == [b"new"]
    assert shard


def test_mapping_in_parallel_keeps_the_order_of_each_key(kinesis: "KinesisClient") -> None:
    """With a parallelization factor, batches overlap, and the records of a key stay in order."""
    running, most = [0], [0]
    lock = threading.Lock()
    pause = threading.Event()

    def answer(_: list[bytes]) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pause.wait(0.01)
        with lock:
            running[0] -= 1

    function = FakeFunction(answer)
    keys = [f"key-{n}" for n in range(12)]
    for number in range(10):
        for key in keys:
            put(kinesis, f"{key} {number}".encode(), key=key)

    with polling(kinesis, function, batch_size=5, parallelization=4):
        until(lambda: len(function.seen) == 120)

    for key in keys:
        mine = [payload for payload in function.seen if payload.startswith(f"{key} ".encode())]
        assert mine == [f"{key} {number}".encode() for number in range(10)]
    assert most[0] > 2  # two shards alone make two
