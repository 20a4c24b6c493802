"""The mapping with tumbling windows ("Configuring tumbling windows", Lambda Developer Guide)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from event_source_mapping.function import FunctionFailed
from event_source_mapping.lambda_records import Record, SourceShard
from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.windows import MAX_STATE_BYTES, Windows
from tests.clock import ManualClock
from tests.mapping import STREAM, NotingCheckpoints, polling, put, split_shards
from tests.polling import until

SHARD = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/rides", "shardId-000000000000")


class Adding:
    """A function that counts records in its state, and notes its events."""

    def __init__(self, state: Callable[[int], Any] = lambda count: {"count": count}) -> None:
        self._state = state
        self.events: list[Mapping[str, Any]] = []

    def invoke(self, event: Mapping[str, Any]) -> Any:
        self.events.append(event)
        count = event["state"].get("count", 0) + len(event["Records"])
        return {"state": self._state(count)}

    @property
    def finals(self) -> list[tuple[str, int]]:
        """Start and count of every window that was ended."""
        return [
            (event["window"]["start"], event["state"]["count"])
            for event in self.events
            if event["isFinalInvokeForWindow"]
        ]


A_DAY = 86400.0


def test_mapping_adds_up_the_records_of_each_window(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """State goes from one invocation of a window to the next, and a new window begins empty."""
    function = Adding()
    for second in (0, 5, 9, 10, 19, 20):
        clock.now = second
        put(kinesis, b"ride")

    with polling(kinesis, function, now=clock, batch_size=2, tumbling_window_seconds=10):
        until(lambda: len(function.finals) == 2)
        until(lambda: len(function.events) >= 6)
        clock.now = A_DAY
        until(lambda: len(function.finals) == 3)

    assert function.finals == [
        ("1970-01-01T00:00:00Z", 3),
        ("1970-01-01T00:00:10Z", 2),
        ("1970-01-01T00:00:20Z", 1),
    ]


def test_mapping_tells_a_function_which_window_it_is(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """An event has the window, the state and the shard beside its records."""
    clock.now = 125
    put(kinesis, b"ride")
    function = Adding()

    with polling(kinesis, function, now=clock, tumbling_window_seconds=60):
        until(lambda: function.events)
        clock.now = A_DAY
        until(lambda: len(function.events) == 2)

    first, last = function.events
    assert {name: first[name] for name in first.keys() - {"Records"}} == {
        "window": {"start": "1970-01-01T00:02:00Z", "end": "1970-01-01T00:03:00Z"},
        "state": {},
        "shardId": last["shardId"],
        "eventSourceARN": f"arn:aws:kinesis:us-east-1:123456789012:stream/{STREAM}",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
    assert (last["Records"], last["isFinalInvokeForWindow"]) == ([], True)


def test_mapping_ends_a_window_early_whose_state_is_too_large(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """State of more than 1 MB ends its window at once, and the next begins empty."""
    put(kinesis, b"ride")
    function = Adding(lambda count: {"count": count, "more": "x" * MAX_STATE_BYTES})

    with polling(kinesis, function, now=clock, tumbling_window_seconds=900):
        until(lambda: len(function.events) == 2)

    assert function.events[1]["isWindowTerminatedEarly"] is True


def test_mapping_tries_the_end_of_a_window_again(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """A final invocation that fails is tried again with the same state."""
    put(kinesis, b"ride")
    failures = iter([FunctionFailed("down")])

    class Failing(Adding):
        def invoke(self, event: Mapping[str, Any]) -> Any:
            answer = super().invoke(event)
            if event["isFinalInvokeForWindow"]:
                for failure in failures:
                    raise failure
            return answer

    function = Failing()

    with polling(kinesis, function, now=clock, tumbling_window_seconds=10):
        until(lambda: function.events)
        clock.now = A_DAY
        until(lambda: len(function.finals) == 2)

    assert function.finals == [("1970-01-01T00:00:00Z", 1)] * 2


def test_mapping_gives_up_the_end_of_a_window_with_its_retries(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """A final invocation that fails once more than MaximumRetryAttempts is not tried again."""
    put(kinesis, b"ride")

    class Failing(Adding):
        def invoke(self, event: Mapping[str, Any]) -> Any:
            answer = super().invoke(event)
            if event["isFinalInvokeForWindow"]:
                raise FunctionFailed("down")
            return answer

    function = Failing()

    with polling(kinesis, function, now=clock, tumbling_window_seconds=10, max_retries=2):
        until(lambda: function.events)
        clock.now = 600
        until(lambda: len(function.finals) == 3)
        put(kinesis, b"after")
        until(lambda: not function.events[-1]["isFinalInvokeForWindow"])

    assert function.finals == [("1970-01-01T00:00:00Z", 1)] * 3
    assert function.events[-1]["state"] == {}


def test_mapping_begins_with_no_state_after_a_stop(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """A stop keeps the checkpoint, and not the state: the window goes on without what was."""
    checkpoints, first, second = NotingCheckpoints(), Adding(), Adding()
    put(kinesis, b"before")
    with polling(kinesis, first, checkpoints=checkpoints, now=clock, tumbling_window_seconds=900):
        until(checkpoints.values)

    put(kinesis, b"after")
    with polling(kinesis, second, checkpoints=checkpoints, now=clock, tumbling_window_seconds=900):
        until(lambda: second.events)

    assert (len(first.events), first.finals) == (1, [])
    assert (second.events[0]["state"], len(second.events[0]["Records"])) == ({}, 1)


def test_mapping_keeps_no_state_of_a_batch_that_failed_whole(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """A retry begins with the state of before, so that nothing is added up twice."""
    put(kinesis, b"ride")

    class FailingOnce(Adding):
        def invoke(self, event: Mapping[str, Any]) -> Any:
            answer = super().invoke(event)
            failures = [{"itemIdentifier": ""}] if len(self.events) == 1 else []
            return {**answer, "batchItemFailures": failures}

    function = FailingOnce()

    with polling(
        kinesis, function, now=clock, tumbling_window_seconds=900, report_item_failures=True
    ) as checkpoints:
        until(checkpoints.values)

    assert [event["state"] for event in function.events] == [{}, {}]


def test_mapping_ends_a_window_with_its_shard(kinesis: MemoryKinesis, clock: ManualClock) -> None:
    """When a shard is split, its window is over, and its children begin with an empty state."""
    put(kinesis, b"before", key="a")
    put(kinesis, b"before", key="f")
    parents = split_shards(kinesis)
    put(kinesis, b"after", key="a")
    function = Adding()

    with polling(kinesis, function, now=clock, tumbling_window_seconds=900):
        until(lambda: len(function.finals) == 2 and len(function.events) == 5)

    assert function.finals == [("1970-01-01T00:00:00Z", 1)] * 2
    # The child of one parent may begin before the window of the other parent ends.
    (of_a_child,) = [event for event in function.events if event["shardId"] not in parents]
    assert of_a_child["state"] == {}


def test_mapping_answer_without_state_is_a_failed_invocation(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """A function of windows has to answer with its state; if it does not, its batch comes again."""
    put(kinesis, b"ride")
    answers: Iterator[dict[str, Any] | None] = iter([{}, None])

    class Forgetting(Adding):
        def invoke(self, event: Mapping[str, Any]) -> Any:
            answer = super().invoke(event)
            return next(answers, answer)

    function = Forgetting()

    with polling(kinesis, function, now=clock, tumbling_window_seconds=10):
        until(lambda: len(function.events) == 3)

    assert [len(event["Records"]) for event in function.events] == [1, 1, 1]


def test_windows_are_over_when_nothing_comes_for_two_minutes() -> None:
    """A window that has passed waits so long for late records of it."""
    windows = Windows(10, SHARD)
    windows.open(Record("1", "key", b"", arrival_time=1005), now=1006)

    assert not windows.is_quiet(now=1125)
    assert windows.is_quiet(now=1127)


def test_windows_longer_than_two_minutes_are_not_over_before_their_end() -> None:
    """Nothing for two minutes ends no window that has not passed."""
    windows = Windows(900, SHARD)
    windows.open(Record("1", "key", b"", arrival_time=905), now=906)

    assert not windows.is_quiet(now=1799)
    assert windows.is_quiet(now=1801)
