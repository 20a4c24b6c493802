"""Sees every record of one shard through: to the function, or to the on-failure destination."""

import logging
import math
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from event_source_mapping.batches import (
    Batch,
    GivenUp,
    Next,
    after_invocation,
    after_not_reached,
    first_failure,
    without_expired,
)
from event_source_mapping.checkpoints import BEGAN_AT, SHARD_END, Checkpoints
from event_source_mapping.clients import ShardClient
from event_source_mapping.destination import Destination
from event_source_mapping.function import FunctionNotReached, Invoker
from event_source_mapping.lambda_records import MAX_EVENT_BYTES, Record, SourceShard, lambda_event
from event_source_mapping.lane import Lane
from event_source_mapping.mapping_settings import FOREVER, MappingSettings
from event_source_mapping.progress import Progress
from event_source_mapping.stream_reader import ShardReader
from event_source_mapping.windows import Windows

logger = logging.getLogger(__name__)

# How soon to look again for more of a shard that is not read to its end, or for room for it.
CATCH_UP_SECONDS = 0.05
# A partition key that has most of the records must not have all of the shard in memory.
_MAX_WAITING_BYTES = 2 * MAX_EVENT_BYTES


class ShardPoller:
    """Reads one shard, and moves its checkpoint past what is done or given up.

    With a parallelization factor, records go into as many lanes, by partition key: batches of
    different lanes run at the same time, and the records of a key stay in order.

    Args:
        kinesis: boto3's Kinesis client.
        function: What to invoke.
        settings: How.
        destination: Where batches go that are given up.
        shard: What to read.
        checkpoints: Where it is kept how far that is.
        retention_seconds: How long the stream keeps a record.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        kinesis: ShardClient,
        function: Invoker,
        settings: MappingSettings,
        destination: Destination,
        shard: SourceShard,
        checkpoints: Checkpoints,
        *,
        retention_seconds: float = math.inf,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.shard = shard
        self._function = function
        self._settings = settings
        self._destination = destination
        self._checkpoints = checkpoints
        self._max_age_seconds = min(settings.max_age_seconds, retention_seconds)
        self._now = now
        self._over = threading.Event()
        self._reader = self._read_on(kinesis)
        self._progress = Progress(self._save)
        self._ending = threading.Lock()
        self._windows = (
            Windows(settings.tumbling_window_seconds, shard)
            if settings.tumbling_window_seconds
            else None
        )
        process = self._process if self._windows is None else self._process_in_windows
        self._lanes = [
            Lane(settings, process, self._over, self._end_quiet_window)
            for _ in range(settings.parallelization)
        ]

    def run(self) -> None:
        """Poll until the mapping stops, or the shard is closed and all of it is done."""
        workers = [threading.Thread(target=lane.run, daemon=True) for lane in self._lanes]
        for worker in workers:
            worker.start()
        while not self._over.is_set():
            if self._has_room():
                self._take(self._reader.read())
            if self._reader.closed and self._progress.complete:
                self._end_shard()
            self._over.wait(self._pause_seconds())
        for worker in workers:
            worker.join()

    def stop(self) -> None:
        """End polling, once the invocations under way have ended."""
        self._over.set()
        for lane in self._lanes:
            lane.wake()

    def _read_on(self, kinesis: ShardClient) -> ShardReader:
        """Open the shard where its checkpoint is, or where the settings say."""
        settings, shard_id, now = self._settings, self.shard.shard_id, self._now()
        after = self._checkpoints.load(shard_id)
        if after is not None and after.startswith(BEGAN_AT):
            began = float(after.removeprefix(BEGAN_AT))
            settings = replace(settings, starting_position="AT_TIMESTAMP", starting_timestamp=began)
            after = None
        reader = ShardReader(kinesis, settings, shard_id, after=after, now=now)
        if after is None and settings.starting_position == "LATEST":
            # What LATEST is later is something else.
            self._save(f"{BEGAN_AT}{now}")
        return reader

    def _save(self, checkpoint: str) -> bool:
        """Move the checkpoint, and answer whether that went well."""
        try:
            self._checkpoints.save(self.shard.shard_id, checkpoint)
        except Exception:
            # The next one moves further; until then, a restart begins further back.
            logger.exception("the checkpoint of %s cannot be saved", self.shard.shard_id)
            return False
        return True

    def _has_room(self) -> bool:
        waiting = max(lane.waiting_bytes for lane in self._lanes)
        return not all(lane.full for lane in self._lanes) and waiting < _MAX_WAITING_BYTES

    def _pause_seconds(self) -> float:
        """How long to wait for the next look at the shard."""
        is_at_its_end = not self._reader.behind and not self._reader.closed and self._has_room()
        poll_seconds = self._settings.poll_seconds
        return poll_seconds if is_at_its_end else min(poll_seconds, CATCH_UP_SECONDS)

    def _end_shard(self) -> None:
        self._end_window()
        # The children wait for this checkpoint, and no other comes after it: it is tried again.
        if not self._over.is_set() and self._save(SHARD_END):
            self.stop()

    def _take(self, records: Sequence[Record]) -> None:
        self._progress.begin(record.sequence_number for record in records)
        by_lane: list[list[Record]] = [[] for _ in self._lanes]
        for record in self._wanted(records):
            by_lane[zlib.crc32(record.partition_key.encode()) % len(by_lane)].append(record)
        for lane, part in zip(self._lanes, by_lane, strict=True):
            lane.put(part)

    def _wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records that a filter takes; the others are passed over, and so are done."""
        filters = self._settings.filters
        if not filters.filters:
            return records
        wanted: list[Record] = []
        others: list[Record] = []
        for record, event in zip(
            records, lambda_event(records, self.shard)["Records"], strict=True
        ):
            (wanted if filters.matches(event) else others).append(record)
        self._finish(others)
        return wanted

    def _process_in_windows(self, batch: Batch) -> None:
        """Process the records window by window, and end each window before the next."""
        windows = self._windows
        if windows is None:
            return
        for part in windows.parts(batch.records):
            if not windows.holds(part[0]):
                self._end_window()
            windows.open(part[0], self._now())
            self._process(Batch(part))
            if windows.is_overfull:
                self._end_window(early=True)

    def _end_quiet_window(self) -> None:
        if self._windows is not None and self._windows.is_quiet(self._now()):
            self._end_window()

    def _end_window(self, *, early: bool = False) -> None:
        """Invoke the function once more, without records, for the window that is open."""
        windows = self._windows
        if windows is None:
            return
        # By the lane, or by the poller at the end of the shard.
        with self._ending:
            self._invoke_finally(windows, early=early)

    def _invoke_finally(self, windows: Windows, *, early: bool) -> None:
        attempt = retries = 0
        while windows.is_open and not self._over.is_set():
            event = {"Records": [], **windows.fields(final=True, early=early)}
            try:
                self._function.invoke(event)
            except Exception as error:
                attempt += 1
                retries += not isinstance(error, FunctionNotReached)
                logger.warning("the last invocation of a window failed: %s", error)
                if FOREVER != self._settings.max_retries < retries:
                    windows.close()  # AWS is silent on it; here its state goes
                self._over.wait(self._settings.timings.backoff(attempt))
            else:
                windows.close()

    def _process(self, batch: Batch) -> None:
        """Invoke the function until every record is done or given up, or the mapping stops."""
        todo = deque([batch])
        while todo and not self._over.is_set():
            current, expired = without_expired(todo.popleft(), self._max_age_seconds, self._now())
            if expired and not self._give_up(expired):
                return
            if not current.records:
                continue
            step = self._invoke(current)
            todo.extendleft(reversed(step.todo))
            if step.given_up and not self._give_up(step.given_up):
                return
            if step.back_off:
                self._over.wait(self._settings.timings.backoff(step.todo[0].waits))

    def _invoke(self, batch: Batch) -> Next:
        failed_at, function_error = 0, True
        try:
            answer = self._function.invoke(self._event(batch.records))
        except FunctionNotReached as error:
            logger.warning("the function was not reached: %s", error)
            return after_not_reached(batch)
        except Exception as error:
            # Whatever else the invoker raises is a failed invocation: a poller never dies of one.
            logger.warning("invocation with %d records failed: %s", len(batch.records), error)
        else:
            failed_at, function_error = self._first_failure(answer, batch.records), False
        self._finish(batch.records[:failed_at])
        return after_invocation(batch, failed_at, self._settings, function_error=function_error)

    def _first_failure(self, answer: Any, records: Sequence[Record]) -> int:
        """The position of the first record that is not done, the window's state being kept."""
        failed_at = (
            first_failure(answer, records) if self._settings.report_item_failures else len(records)
        )
        # Of a batch that failed whole, state would be added up again with its retry.
        if failed_at and self._windows is not None and not self._windows.take_state(answer):
            logger.warning("the answer has no state, which tumbling windows want")
            return 0
        return failed_at

    def _event(self, records: Sequence[Record]) -> dict[str, Any]:
        fields = {} if self._windows is None else self._windows.fields()
        return {**lambda_event(records, self.shard), **fields}

    def _give_up(self, given_up: GivenUp) -> bool:
        """Hand a batch to the destination, for as long as that takes, and move past it.

        Answers whether the destination has it; it has not if the mapping stopped before.
        """
        attempt = 0
        while not self._over.is_set():
            try:
                self._destination.put(given_up, self.shard)
            except Exception:
                attempt += 1
                logger.exception("the on-failure destination failed")
                self._over.wait(self._settings.timings.backoff(attempt))
            else:
                self._finish(given_up.batch.records)
                return True
        return False

    def _finish(self, records: Sequence[Record]) -> None:
        self._progress.finish(record.sequence_number for record in records)
