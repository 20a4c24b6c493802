"""When a lane makes batches.

"How Lambda processes records from stream and queue-based event sources" (Lambda Developer Guide).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from event_source_mapping.batches import Batch
from event_source_mapping.lambda_records import MAX_EVENT_BYTES, Record
from event_source_mapping.lane import Lane, window_end
from event_source_mapping.mapping_settings import MappingSettings
from tests.clock import ManualClock
from tests.mapping import QUICK
from tests.polling import until


def record(data: bytes = b"") -> Record:
    return Record("1", "key", data, arrival_time=0)


def settings(**changes: Any) -> MappingSettings:
    return MappingSettings("Rides", "ride_events", "TRIM_HORIZON", **changes)


@pytest.mark.parametrize(
    ("now", "end"), [(7, 47), (30, 47), (46.9, 47), (47, 87), (90, 127)], ids=str
)
def test_window_begins_when_the_last_invocation_ended(now: float, end: float) -> None:
    """The page's window of 40 seconds from second 7 on ends at 47, and the next one follows."""
    assert window_end(7, now, 40) == end


def test_window_of_no_length_is_over_at_once() -> None:
    """By default, records wait for nothing."""
    assert window_end(7, 30, 0) == 30


class CountingClock(ManualClock):
    """A clock that counts how often it was looked at."""

    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return super().__call__()


class Processing:
    """Notes batches, each of which takes so many seconds, and counts how often a lane was idle."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.batches: list[int] = []
        self.idles = 0

    def process(self, batch: Batch) -> None:
        self._clock.now += self._seconds
        self.batches.append(len(batch.records))
        self.idles = 0

    def idle(self) -> None:
        self.idles += 1


@contextmanager
def running(one: Lane, stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        one.wake()
        thread.join()


def test_lane_counts_its_window_from_the_end_of_the_last_invocation() -> None:
    """A record that comes late in the window waits for the rest of it, and no longer."""
    clock, stop = CountingClock(), threading.Event()
    work = Processing(clock, seconds=100)
    one = Lane(
        settings(batch_size=2, batching_window_seconds=40, timings=QUICK),
        work.process,
        stop,
        work.idle,
        clock,
    )

    with running(one, stop):
        one.put([record(), record()])
        until(lambda: work.batches and work.idles)
        clock.now = 139.99
        looks = clock.looks
        one.put([record()])
        until(lambda: clock.looks > looks + 2)  # it waits, and has seen when it is to end
        clock.now = 140.0
        until(lambda: len(work.batches) == 2)

    assert work.batches == [2, 1]


def test_lane_is_full_when_a_payload_is() -> None:
    """6 MB are a batch, however few records that is, so that no more are read for it."""
    one = Lane(settings(batch_size=10_000), lambda _: None, threading.Event(), lambda: None)

    one.put([record(bytes(MAX_EVENT_BYTES // 2))])
    assert not one.full
    one.put([record(bytes(MAX_EVENT_BYTES // 2))])

    assert one.full
    assert one.waiting_bytes >= MAX_EVENT_BYTES
