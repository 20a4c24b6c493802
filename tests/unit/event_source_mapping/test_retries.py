"""What a mapping does with batches that fail.

"Retain discarded batch records for a Kinesis Data Streams event source in Lambda" (Lambda Developer
Guide).
"""

from collections.abc import Callable
from typing import Any

from event_source_mapping.batches import Condition
from event_source_mapping.function import FunctionFailed, FunctionNotReached
from event_source_mapping.mapping_settings import Timings
from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.clock import ManualClock
from tests.mapping import FakeDestination, FakeFunction, fails_with, poll_to, polling, put
from tests.polling import until

A_DAY = 86_400.0


def raising(*errors: Exception) -> Callable[[Any], None]:
    """Raises one after the other, and then nothing."""
    left = iter(errors)

    def answer(_: Any) -> None:
        for error in left:
            raise error

    return answer


def test_batch_that_did_not_reach_the_function_comes_again_at_no_cost(
    kinesis: MemoryKinesis,
) -> None:
    """Throttling uses up no retry and bisects nothing: only errors of the function do."""
    *_, last = put(kinesis, b"1", b"2")
    function = FakeFunction(raising(*[FunctionNotReached("throttled")] * 5))
    destination = FakeDestination()

    poll_to(last, kinesis, function, destination, max_retries=0, bisect_on_error=True)

    assert function.batches == [[b"1", b"2"]] * 6
    assert destination.given_up == []


def test_batch_that_does_not_reach_the_function_is_discarded_for_its_age(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """Before an invocation, Lambda retries until the records are too old."""
    *_, last = put(kinesis, b"1")

    def throttled(_: list[bytes]) -> None:
        clock.now += 25
        raise FunctionNotReached("throttled")

    function, destination = FakeFunction(throttled), FakeDestination()
    poll_to(last, kinesis, function, destination, now=clock, max_record_age_seconds=60)

    (given_up,) = destination.given_up
    assert (given_up.condition, given_up.batch.invocations) == (Condition.AGE, 0)
    assert len(function.batches) == 3


def test_batch_that_grows_too_old_between_retries_is_discarded(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """MaximumRecordAgeInSeconds ends retries that the attempts would allow."""
    *_, last = put(kinesis, b"1")

    def slow(_: list[bytes]) -> None:
        clock.now += 40
        raise FunctionFailed("slow")

    destination = FakeDestination()
    poll_to(last, kinesis, FakeFunction(slow), destination, now=clock, max_record_age_seconds=60)

    (given_up,) = destination.given_up
    assert (given_up.condition, given_up.batch.invocations) == (Condition.AGE, 2)


def test_batch_that_expires_on_the_stream_is_not_tried_again(
    kinesis: MemoryKinesis, clock: ManualClock
) -> None:
    """Retries without end end with the retention of the stream, and the shard goes on."""
    put(kinesis, b"poison")
    function, destination = FakeFunction(fails_with(b"poison")), FakeDestination()

    with polling(kinesis, function, destination, now=clock) as checkpoints:
        until(lambda: len(function.batches) > 3)
        clock.now = A_DAY + 1
        *_, last = put(kinesis, b"after")
        until(lambda: last in checkpoints.values())

    assert destination.payloads == [[b"poison"]]
    assert destination.given_up[0].condition == Condition.AGE
    assert function.seen[-1] == b"after"


def test_batches_after_a_split_have_the_size_of_before(kinesis: MemoryKinesis) -> None:
    """Splitting a batch leaves the batch size as it was set."""
    payloads = [b"%d" % n for n in range(8)]
    put(kinesis, *payloads)
    function = FakeFunction(raising(FunctionFailed("once")))

    with polling(kinesis, function, batch_size=4, bisect_on_error=True):
        until(lambda: function.seen[-1:] == payloads[-1:])

    assert [len(batch) for batch in function.batches] == [4, 2, 2, 4]


def test_records_of_a_batch_that_fail_apart_have_a_document_each(kinesis: MemoryKinesis) -> None:
    """What bisecting has taken apart is told of apart."""
    *_, last = put(kinesis, b"1", b"bad", b"worse", b"4")
    function, destination = FakeFunction(fails_with(b"bad", b"worse")), FakeDestination()

    poll_to(last, kinesis, function, destination, bisect_on_error=True, max_retries=0)

    assert destination.payloads == [[b"bad"], [b"worse"]]


def test_invocations_of_a_batch_count_for_what_was_cut_from_it(kinesis: MemoryKinesis) -> None:
    """A record that was tried among four, among two, and alone was tried three times."""
    *_, last = put(kinesis, b"1", b"2", b"3", b"poison")
    function, destination = FakeFunction(fails_with(b"poison")), FakeDestination()

    poll_to(last, kinesis, function, destination, bisect_on_error=True, max_retries=0)

    assert [one.batch.invocations for one in destination.given_up] == [3]


def test_failures_that_a_function_reports_are_no_error_of_it(kinesis: MemoryKinesis) -> None:
    """What is told of a batch tells a function that raised from one that answered."""
    *_, last = put(kinesis, b"raises", b"reported")

    def answer(payloads: list[bytes]) -> Any:
        if payloads == [b"raises"]:
            raise FunctionFailed("bug")
        return {"batchItemFailures": [{"itemIdentifier": last}]}

    destination = FakeDestination()
    poll_to(
        last,
        kinesis,
        FakeFunction(answer),
        destination,
        batch_size=1,
        max_retries=0,
        report_item_failures=True,
    )

    assert [one.batch.function_error for one in destination.given_up] == [True, False]


def test_record_that_ends_a_batch_has_all_its_retries_alone(kinesis: MemoryKinesis) -> None:
    """AWS was seen to give a record five chances: among others, alone, and in three retries."""
    *_, last = put(kinesis, b"1", b"2", b"3")
    function = FakeFunction(lambda _: {"batchItemFailures": [{"itemIdentifier": last}]})
    destination = FakeDestination()

    poll_to(last, kinesis, function, destination, max_retries=3, report_item_failures=True)

    assert function.batches == [[b"1", b"2", b"3"], *[[b"3"]] * 4]
    assert [one.batch.invocations for one in destination.given_up] == [4]


def test_waits_double_up_to_ten_seconds() -> None:
    """0.2 seconds after the first attempt, 0.4 after the second, half of each by chance."""
    for attempt in range(1, 100):
        longest = min(10, 0.1 * 2**attempt)
        assert longest / 2 <= Timings().backoff(attempt) <= longest
