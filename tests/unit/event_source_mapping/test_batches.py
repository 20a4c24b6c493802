"""The rules of Lambda's event source mapping; `batches` names its pages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_source_mapping.batches import (
    Batch,
    Condition,
    after_invocation,
    after_not_reached,
    first_failure,
    without_expired,
)
from event_source_mapping.lambda_records import Record
from event_source_mapping.mapping_settings import FOREVER, MappingSettings


def records(count: int, *, arrival_time: float = 0) -> list[Record]:
    return [Record(str(100 + n), "key", b"{}", arrival_time + n) for n in range(count)]


def settings(**changes: Any) -> MappingSettings:
    return MappingSettings("Rides", "ride_events", "TRIM_HORIZON", **changes)


def item(identifier: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier}]}


@pytest.mark.parametrize(
    "answer", [None, {}, "", {"batchItemFailures": []}, {"batchItemFailures": None}, {"other": 1}]
)
def test_first_failure_empty_or_null_answer_is_a_success(answer: Any) -> None:
    """An empty or null answer, or list of failures, says that the whole batch is done."""
    assert first_failure(answer, records(3)) == 3


def test_first_failure_lowest_identifier_counts() -> None:
    """Of many identifiers, the lowest sequence number is the one to go on from."""
    answer = {"batchItemFailures": [{"itemIdentifier": "102"}, {"itemIdentifier": "101"}]}

    assert first_failure(answer, records(4)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        item(""),
        item(None),
        item("999"),
        item(101),
        item([]),
        {"batchItemFailures": [{"wrongKey": "101"}]},
        {"batchItemFailures": ["101"]},
        {"batchItemFailures": "101"},
        {"batchItemFailures": 7},
        "text",
        [1],
    ],
)
def test_first_failure_answer_that_cannot_be_read_fails_the_batch(answer: Any) -> None:
    """An empty, unknown or malformed identifier says that nothing is done."""
    assert first_failure(answer, records(3)) == 0


def test_after_success_nothing_is_left() -> None:
    """A batch that is done leaves nothing to do."""
    step = after_invocation(Batch(records(3)), 3, settings())

    assert (step.todo, step.given_up, step.back_off) == ((), None, False)


@pytest.mark.parametrize("bisect", [False, True])
def test_after_partial_failure_the_rest_is_a_batch_of_its_own(bisect: bool) -> None:
    """The batch is cut at the returned sequence number, and attempts at the rest count anew."""
    batch = records(4)

    step = after_invocation(
        Batch(batch, invocations=3, retries=2), 1, settings(bisect_on_error=bisect, max_retries=2)
    )

    assert step.todo == [Batch(batch[1:])]
    assert not step.back_off


def test_after_whole_failure_with_bisect_the_batch_is_halved_at_no_cost() -> None:
    """With bisecting on, a failed batch is split in two, which costs no retry."""
    batch = records(5)

    step = after_invocation(Batch(batch), 0, settings(bisect_on_error=True, max_retries=0))

    assert [list(half.records) for half in step.todo] == [batch[:2], batch[2:]]
    assert [half.retries for half in step.todo] == [0, 0]


def test_after_whole_failure_without_bisect_the_batch_is_retried_whole() -> None:
    """With bisecting off, the whole batch is tried again."""
    batch = records(2)

    assert after_invocation(Batch(batch), 0, settings()).todo == [Batch(batch, 1, 1)]


def test_after_the_last_retry_the_batch_is_given_up() -> None:
    """Once its retries are used up, a batch is discarded, with the reason."""
    batch = records(3)

    step = after_invocation(Batch(batch, invocations=2, retries=2), 0, settings(max_retries=2))

    assert step.given_up is not None
    assert step.given_up.batch == Batch(batch, invocations=3, retries=2)
    assert step.given_up.condition is Condition.RETRIES
    assert step.given_up.condition.value == "RetryAttemptsExhausted"
    assert step.todo == ()


def test_after_any_number_of_retries_forever_is_forever() -> None:
    """By default a batch is retried until its records expire."""
    step = after_invocation(Batch(records(1), retries=10_000), 0, settings(max_retries=FOREVER))

    assert step.todo[0].retries == 10_001


def test_after_not_reached_the_same_is_tried_again_after_a_longer_wait() -> None:
    """What the function never had costs no retry and no invocation, and waits still grow."""
    batch = Batch(records(2), invocations=3, retries=1)

    step = after_not_reached(batch)
    again = after_not_reached(step.todo[0])

    assert again.back_off
    assert again.todo == [Batch(batch.records, invocations=3, retries=1, not_reached=2)]
    assert [batch.waits, step.todo[0].waits, again.todo[0].waits] == [1, 2, 3]


def test_without_expired_old_records_at_the_head_are_given_up() -> None:
    """Records past the maximum age are discarded; younger ones stay."""
    batch = Batch(records(4), retries=3)

    young, given_up = without_expired(batch, 60, now=62)

    assert [r.sequence_number for r in young.records] == ["102", "103"]
    assert young.retries == 3
    assert given_up is not None
    assert [r.sequence_number for r in given_up.batch.records] == ["100", "101"]
    assert given_up.condition is Condition.AGE
    assert given_up.condition.value == "RecordAgeExceeded"


def test_without_expired_no_limit_keeps_everything() -> None:
    """By default no record is too old."""
    batch = Batch(records(2))

    assert without_expired(batch, settings().max_age_seconds, now=1e12) == (batch, None)


@given(
    size=st.integers(1, 40),
    poison=st.sets(st.integers(0, 39)),
    bisect=st.booleans(),
    partial=st.booleans(),
    retries=st.integers(0, 3),
)
def test_after_invocation_every_record_is_done_or_given_up_once(
    size: int, poison: set[int], bisect: bool, partial: bool, retries: int
) -> None:
    """Whatever fails, each record ends done or given up, in order, and only once."""
    rules = settings(bisect_on_error=bisect, max_retries=retries)
    all_records = records(size)
    bad = {all_records[n].sequence_number for n in poison if n < size}
    todo = [Batch(all_records)]
    ended: list[Record] = []
    done: list[Record] = []
    while todo:
        batch = todo.pop(0)
        faults = [n for n, r in enumerate(batch.records) if r.sequence_number in bad]
        failed_at = (faults[0] if partial else 0) if faults else len(batch.records)
        done += batch.records[:failed_at]
        ended += batch.records[:failed_at]
        step = after_invocation(batch, failed_at, rules)
        todo = [*step.todo, *todo]
        ended += step.given_up.batch.records if step.given_up else []

    assert ended == all_records
    assert not bad & {r.sequence_number for r in done}
    if bisect:
        assert len(done) == size - len(bad), "bisecting isolates the bad records"
