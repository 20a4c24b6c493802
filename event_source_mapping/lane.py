"""Batches of one shard that run one after the other."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from event_source_mapping.batches import Batch
from event_source_mapping.lambda_records import MAX_EVENT_BYTES, Record, head
from event_source_mapping.mapping_settings import MappingSettings


class Lane:
    """Collects records into batches, and has one processed at a time.

    Args:
        settings: How large a batch is, and how long it is waited for.
        process: Sees a batch through to its end.
        stop: Set when the mapping stops.
        idle: Called now and then while nothing comes.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        settings: MappingSettings,
        process: Callable[[Batch], None],
        stop: threading.Event,
        idle: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._process = process
        self._stop = stop
        self._idle = idle
        self._clock = clock
        self._waiting: deque[Record] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._window_begins = 0.0

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the records which are waiting take in events, at most."""
        return self._waiting_bytes

    @property
    def full(self) -> bool:
        """Whether there is a batch waiting already."""
        has_all_records = len(self._waiting) >= self._settings.batch_size
        return has_all_records or self._waiting_bytes >= MAX_EVENT_BYTES

    def put(self, records: Sequence[Record]) -> None:
        """Take records, in the order of the shard."""
        with self._changed:
            self._waiting.extend(records)
            self._waiting_bytes += sum(record.event_size for record in records)
            self._changed.notify()

    def wake(self) -> None:
        """Look whether the mapping stopped."""
        with self._changed:
            self._changed.notify()

    def run(self) -> None:
        """Process batches until the mapping stops."""
        self._window_begins = self._clock()
        while not self._stop.is_set():
            records = self._next_batch()
            if records:
                self._process(Batch(records))
                self._window_begins = self._clock()
            else:
                self._idle()

    def _next_batch(self) -> list[Record]:
        """Wait until the batch is full or its window has passed; nothing if none begins."""
        with self._changed:
            if not self._waiting and not self._stop.is_set():
                self._changed.wait(self._settings.timings.idle_seconds)
            if not self._waiting:
                return []
            window_ends = window_end(
                self._window_begins, self._clock(), self._settings.batching_window_seconds
            )
            while not self._stop.is_set():
                records = head(self._waiting, self._settings.batch_size)
                full = len(records) == self._settings.batch_size or len(records) < len(
                    self._waiting
                )
                left = window_ends - self._clock()
                if full or left <= 0:
                    self._take(records)
                    return records
                self._changed.wait(left)
        return []

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            self._waiting.popleft()
            self._waiting_bytes -= record.event_size


def window_end(begins: float, now: float, seconds: float) -> float:
    """When the batching window ends that a record finds which comes now.

    "How Lambda processes records from stream and queue-based event sources" (AWS Lambda Developer
    Guide): the next window begins as soon as the previous invocation completes. It does not say
    what follows a window without records: here, the next one.

    Args:
        begins: When the last invocation ended.
        now: On the same clock, and not before.
        seconds: Length of a window; without length, it ends now.
    """
    if not seconds:
        return now
    passed = math.floor((now - begins) / seconds)
    return begins + (passed + 1) * seconds
