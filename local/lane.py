"""Batches of one shard that run one after the other."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from local.batches import Batch
from local.records import Record, head
from local.settings import MappingSettings

IDLE_SECONDS = 0.5


class Lane:
    """Collects records into batches, and has one processed at a time.

    Args:
        settings: How large a batch is, and how long it is waited for.
        process: Sees a batch through to its end.
        stop: Set when the mapping stops.
        idle: Called now and then while nothing comes.
    """

    def __init__(
        self,
        settings: MappingSettings,
        process: Callable[[Batch], None],
        stop: threading.Event,
        idle: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._process = process
        self._stop = stop
        self._idle = idle
        self._waiting: deque[Record] = deque()
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """How many records are waiting."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether there is a batch waiting already."""
        return len(self._waiting) >= self._settings.batch_size

    def put(self, records: Sequence[Record]) -> None:
        """Take records, in the order of the shard."""
        with self._changed:
            self._waiting.extend(records)
            self._changed.notify()

    def wake(self) -> None:
        """Look whether the mapping stopped."""
        with self._changed:
            self._changed.notify()

    def run(self) -> None:
        """Process batches until the mapping stops."""
        while not self._stop.is_set():
            records = self._next_batch()
            if records:
                self._process(Batch(records))
            else:
                self._idle()

    def _next_batch(self) -> list[Record]:
        """Wait until the batch is full or its window has passed; nothing if none begins."""
        with self._changed:
            if not self._waiting and not self._stop.is_set():
                self._changed.wait(IDLE_SECONDS)
            if not self._waiting:
                return []
            window_ends = time.monotonic() + self._settings.batching_window_seconds
            while not self._stop.is_set():
                records = head(self._waiting, self._settings.batch_size)
                full = len(records) == self._settings.batch_size or len(records) < len(
                    self._waiting
                )
                left = window_ends - time.monotonic()
                if full or left <= 0:
                    for _ in records:
                        self._waiting.popleft()
                    return records
                self._changed.wait(left)
        return []
