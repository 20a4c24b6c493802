"""An event source mapping: polls a Kinesis stream and invokes a function, as Lambda does."""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from local.batches import (
    Batch,
    GivenUp,
    Next,
    after_invocation,
    first_failure,
    without_expired,
)
from local.function import Invoker
from local.records import Record, SourceShard, head, lambda_event
from local.settings import MappingSettings

logger = logging.getLogger(__name__)

# Lambda polls each shard once a second; on a laptop, waiting is the only cost of asking more often.
POLL_SECONDS = 0.05
# AWS does not say how long it waits between retries, only that it backs off.
BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 10.0
# API reference, GetRecords: at most 10,000 records.
_MAX_RECORDS_A_CALL = 10_000


class Destination(Protocol):
    """Takes batches that are given up."""

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Keep the batch.

        Raises:
            Exception: It could not be kept.
        """
        ...


class NoDestination:
    """Drops batches, as Lambda does without an on-failure destination, and says so."""

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Log how many records are dropped."""
        logger.error("%s: %d records dropped", given_up.condition, len(given_up.batch.records))


class EventSourceMapping:
    """Feeds a function from a stream: one poller thread a shard.

    Args:
        kinesis: boto3's Kinesis client.
        function: What to invoke.
        settings: How.
        destination: Where batches go that are given up.
    """

    def __init__(
        self,
        kinesis: Any,
        function: Invoker,
        settings: MappingSettings,
        destination: Destination,
    ) -> None:
        self._stop = threading.Event()
        self.pollers = [
            ShardPoller(kinesis, function, settings, destination, shard, self._stop)
            for shard in _shards(kinesis, settings.stream)
        ]
        self._threads = [
            threading.Thread(
                target=poller.run, name=f"{settings.name}-{poller.shard.shard_id}", daemon=True
            )
            for poller in self.pollers
        ]

    def start(self) -> None:
        """Begin to poll."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End polling, once the invocations under way have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def _shards(kinesis: Any, stream: str) -> list[SourceShard]:
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"][
        "StreamARN"
    ]
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    return [SourceShard(arn, shard["ShardId"]) for shard in shards]


class ShardPoller:
    """Reads one shard in order, and moves its checkpoint past what is done or given up.

    Attributes:
        shard: What it reads.
        checkpoint: Sequence number of the last record that is done or given up; None before the
            first.
    """

    def __init__(
        self,
        kinesis: Any,
        function: Invoker,
        settings: MappingSettings,
        destination: Destination,
        shard: SourceShard,
        stop: threading.Event,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.shard = shard
        self.checkpoint: str | None = None
        self._kinesis = kinesis
        self._function = function
        self._settings = settings
        self._destination = destination
        self._stop = stop
        self._now = now
        self._iterator: str | None = None
        self._last_read: str | None = None
        self._waiting: deque[Record] = deque()
        self._latest: float | None = None
        # TRIM_HORIZON can be asked for later; what LATEST means depends on when it is asked.
        self._open_iterator()
        self._latest = now()

    def run(self) -> None:
        """Poll until the mapping stops."""
        while not self._stop.is_set():
            records = self._next_batch()
            if records:
                self._process(Batch(records))

    def _next_batch(self) -> list[Record]:
        """Collect records until the batch is full or its window has passed."""
        self._read()
        window_ends = time.monotonic() + self._settings.batching_window_seconds
        while not self._stop.is_set():
            records = head(self._waiting, self._settings.batch_size)
            full = len(records) == self._settings.batch_size or len(records) < len(self._waiting)
            if full or (records and time.monotonic() >= window_ends):
                for _ in records:
                    self._waiting.popleft()
                return records
            if not records:
                window_ends = time.monotonic() + self._settings.batching_window_seconds
            self._stop.wait(POLL_SECONDS)
            self._read()
        return []

    def _read(self) -> None:
        if len(self._waiting) >= self._settings.batch_size:
            return
        try:
            iterator = self._iterator or self._open_iterator()
            answer = self._kinesis.get_records(ShardIterator=iterator, Limit=_MAX_RECORDS_A_CALL)
        except Exception:
            # An expired iterator, a throttled read, an endpoint that is gone: read on from the
            # last record read, with the next poll.
            logger.exception("reading %s failed", self.shard.shard_id)
            self._iterator = None
            return
        self._iterator = answer.get("NextShardIterator")
        for record in answer["Records"]:
            self._waiting.append(_record(record))
            self._last_read = record["SequenceNumber"]

    def _open_iterator(self) -> str:
        start: dict[str, Any] = {"ShardIteratorType": self._settings.starting_position}
        if self._last_read is not None:
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": self._last_read,
            }
        elif self._settings.starting_position == "LATEST" and self._latest is not None:
            # LATEST anew would skip what came since the mapping began.
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self._latest}
        stream, shard_id = self._settings.stream, self.shard.shard_id
        answer = self._kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, **start)
        self._iterator = iterator = str(answer["ShardIterator"])
        return iterator

    def _process(self, batch: Batch) -> None:
        """Invoke the function until every record is done or given up, or the mapping stops."""
        todo = deque([batch])
        while todo and not self._stop.is_set():
            current, expired = without_expired(todo.popleft(), self._settings, self._now())
            if expired and not self._give_up(expired):
                return
            if not current.records:
                continue
            step = self._invoke(current)
            todo.extendleft(reversed(step.todo))
            if step.given_up and not self._give_up(step.given_up):
                return
            if step.back_off:
                self._stop.wait(_backoff_seconds(step.todo[0].retries))

    def _invoke(self, batch: Batch) -> Next:
        failed_at = 0
        try:
            answer = self._function.invoke(lambda_event(batch.records, self.shard))
        except Exception as error:
            # Whatever the invoker raises is a failed invocation: a poller never dies of one.
            logger.warning("invocation with %d records failed: %s", len(batch.records), error)
        else:
            failed_at = (
                first_failure(answer, batch.records)
                if self._settings.report_item_failures
                else len(batch.records)
            )
        if failed_at:
            self.checkpoint = batch.records[failed_at - 1].sequence_number
        return after_invocation(batch, failed_at, self._settings)

    def _give_up(self, given_up: GivenUp) -> bool:
        """Hand a batch to the destination, for as long as that takes, and move past it.

        Answers whether the destination has it; it has not if the mapping stopped before.
        """
        attempt = 0
        while not self._stop.is_set():
            try:
                self._destination.put(given_up, self.shard)
            except Exception:
                attempt += 1
                logger.exception("the on-failure destination failed")
                self._stop.wait(_backoff_seconds(attempt))
            else:
                self.checkpoint = given_up.batch.records[-1].sequence_number
                return True
        return False


def _record(record: dict[str, Any]) -> Record:
    return Record(
        sequence_number=record["SequenceNumber"],
        partition_key=record["PartitionKey"],
        data=record["Data"],
        arrival_time=record["ApproximateArrivalTimestamp"].timestamp(),
    )


def _backoff_seconds(attempt: int) -> float:
    ceiling = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** min(attempt, 16))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, not a secret
