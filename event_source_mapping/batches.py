"""What becomes of a batch: the rules of Lambda's event source mapping for Kinesis, without I/O.

Sources, all in the AWS Lambda Developer Guide: "How Lambda processes records from stream and
queue-based event sources", "Configuring partial batch response with Kinesis Data Streams and
Lambda", "Retain discarded batch records for a Kinesis Data Streams event source in Lambda".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from event_source_mapping.lambda_records import Record
from event_source_mapping.mapping_settings import FOREVER, MappingSettings


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to invoke the function with.

    Attributes:
        records: In the order of the shard.
        invocations: How often the function had them, alone or among others.
        retries: How many of its retries the batch has used up.
        not_reached: How often in a row the function was not reached.
        function_error: Whether the last invocation ended with an error instead of an answer.
    """

    records: Sequence[Record]
    invocations: int = 0
    retries: int = 0
    not_reached: int = 0
    function_error: bool = False

    @property
    def waits(self) -> int:
        """How often the batch was waited for, as far as that makes the next wait longer."""
        return self.retries + self.not_reached


class Condition(StrEnum):
    """Why a batch was given up; the names are AWS's."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A batch that will not be tried again."""

    batch: Batch
    condition: Condition


@dataclass(frozen=True, slots=True)
class Next:
    """What to do after an invocation: batches to try, in order, or one to give up.

    Attributes:
        todo: What is left of the batch.
        given_up: What is discarded, to the destination if there is one.
        back_off: Whether to wait before the next try.
    """

    todo: Sequence[Batch] = ()
    given_up: GivenUp | None = None
    back_off: bool = False


def first_failure(answer: Any, records: Sequence[Record]) -> int:
    """The position of the first record that a function's answer says is not done.

    Everything is done if the answer, or its list of failures, is null or empty. An answer that
    cannot be read, or names a record that is not in the batch, says that nothing is done.
    """
    if not answer:
        return len(records)
    if not isinstance(answer, dict):
        return 0
    failures = answer.get("batchItemFailures")
    if not failures:
        return len(records)
    positions = {record.sequence_number: place for place, record in enumerate(records)}
    try:
        return min(positions[failure["itemIdentifier"]] for failure in failures)
    except (KeyError, TypeError):
        return 0


def after_invocation(
    batch: Batch, failed_at: int, settings: MappingSettings, *, function_error: bool = False
) -> Next:
    """What to do after an invocation.

    Args:
        batch: What the function was invoked with.
        failed_at: The position of the first record that is not done; 0 after a function error.
        settings: The mapping's.
        function_error: Whether the invocation ended with one, instead of an answer.

    What remains of a batch of which some is done is a batch of its own, whose attempts count from
    the start. AWS's pages do not say so, but it was seen (docs/event-source-mapping.md,
    *recorded*).
    """
    rest = batch.records[failed_at:]
    if not rest:
        return Next()
    if failed_at:
        return Next(todo=[Batch(rest)])
    tried = Batch(rest, batch.invocations + 1, batch.retries, function_error=function_error)
    if settings.bisect_on_error and len(rest) > 1:
        middle = len(rest) // 2
        halves = (rest[:middle], rest[middle:])
        return Next(todo=[replace(tried, records=half) for half in halves])
    if settings.max_retries != FOREVER and batch.retries >= settings.max_retries:
        return Next(given_up=GivenUp(tried, Condition.RETRIES))
    return Next(todo=[replace(tried, retries=batch.retries + 1)], back_off=True)


def after_not_reached(batch: Batch) -> Next:
    """What to do when the function was not invoked: the same again, however often."""
    return Next(todo=[replace(batch, not_reached=batch.not_reached + 1)], back_off=True)


def without_expired(
    batch: Batch, max_age_seconds: float, now: float
) -> tuple[Batch, GivenUp | None]:
    """Split off the records at the head that are too old to be tried.

    Args:
        batch: Records in the order of the shard, so the oldest come first.
        max_age_seconds: Older ones are; infinite if none is.
        now: Seconds since the epoch.
    """
    oldest = now - max_age_seconds
    expired = 0
    while expired < len(batch.records) and batch.records[expired].arrival_time < oldest:
        expired += 1
    if not expired:
        return batch, None
    young = replace(batch, records=batch.records[expired:])
    old = replace(batch, records=batch.records[:expired])
    return young, GivenUp(old, Condition.AGE)
