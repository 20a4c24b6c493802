"""Tumbling windows: what a function adds up over the records of a shard.

Source: "Implementing stateful Kinesis Data Streams processing in Lambda" (AWS Lambda Developer
Guide): boundaries go by the time when records were put; state is at most 1 MB a shard, and ends its
window early when it is larger; an answer without state has failed; when a shard ends, so does its
window. The guide is silent on when a window is over: here, when a record of a later one comes, or
when it has passed and nothing came for two minutes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from event_source_mapping.lambda_records import Record, SourceShard

MAX_STATE_BYTES = 1_000_000
# How long after its last record a window is taken to be over.
QUIET_SECONDS = 120.0


class Windows:
    """The window of one shard that is open, and the state of its aggregation.

    Args:
        seconds: Length of a window.
        shard: Whose records they are.
    """

    def __init__(self, seconds: int, shard: SourceShard) -> None:
        self._seconds = seconds
        self._shard = shard
        self._start: int | None = None
        self._last_record_at = 0.0
        self._state: Any = {}

    @property
    def is_open(self) -> bool:
        """Whether a window has begun that was not closed."""
        return self._start is not None

    @property
    def is_overfull(self) -> bool:
        """Whether the state is larger than Lambda keeps."""
        return len(json.dumps(self._state).encode()) > MAX_STATE_BYTES

    def parts(self, records: Sequence[Record]) -> Iterator[list[Record]]:
        """Records of one window each."""
        for _, part in groupby(records, key=self._start_of):
            yield list(part)

    def holds(self, record: Record) -> bool:
        """Whether a record belongs to the window that is open."""
        return self._start == self._start_of(record)

    def open(self, record: Record, now: float) -> None:
        """Begin the window of a record, unless it is open."""
        self._start = self._start_of(record)
        self._last_record_at = now

    def close(self) -> None:
        """End the window; the next one begins with an empty state."""
        self._start = None
        self._state = {}

    def is_quiet(self, now: float) -> bool:
        """Whether the window has passed, and nothing came for long enough to call it over."""
        if self._start is None:
            return False
        return now > max(self._start + self._seconds, self._last_record_at + QUIET_SECONDS)

    def take_state(self, answer: Any) -> bool:
        """Keep the state that a function answered with; answer whether it did, as it must."""
        if not isinstance(answer, dict) or "state" not in answer:
            return False
        self._state = answer["state"]
        return True

    def fields(self, *, final: bool = False, early: bool = False) -> Mapping[str, Any]:
        """What an event has beside its records."""
        start = self._start or 0
        return {
            "window": {"start": _iso(start), "end": _iso(start + self._seconds)},
            "state": self._state,
            "shardId": self._shard.shard_id,
            "eventSourceARN": self._shard.stream_arn,
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": early,
        }

    def _start_of(self, record: Record) -> int:
        return int(record.arrival_time) // self._seconds * self._seconds


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
