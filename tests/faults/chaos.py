"""Faults, by chance but repeatable: streams, stores and functions that fail."""

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from event_source_mapping.memory_kinesis import MemoryKinesis
from streams.aggregation import payloads
from streams.fakes import FakeS3

Json = Mapping[str, Any]

THROTTLED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
# How long a call takes that ends in nothing: all its attempts (`streams.deadline`).
SLOW_SECONDS = 7.0


class Killed(BaseException):
    """Lambda ends the environment: no `except Exception` sees it."""


class Clock:
    """Monotonic seconds that pass when they are slept or lost."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Chaos:
    """Decides which faults strike one invocation, always the same for the same seed.

    Args:
        seed: What it is about: the run, the batch, the attempt.
        rate: Probability of each fault at each place where it can strike.
        struck: Counts the faults of the whole run, by kind.
        kinds: Part of the names of the faults that can strike; none means all.
    """

    def __init__(self, seed: str, rate: float, struck: "Tally", kinds: Sequence[str] = ()) -> None:
        self.random = random.Random(seed)
        self._rate = rate
        self._struck = struck
        self._kinds = kinds

    def strikes(self, kind: str) -> bool:
        """Whether that fault strikes here and now."""
        strikes = self.random.random() < self._rate
        if self._kinds and not any(part in kind for part in self._kinds):
            return False
        if strikes:
            self._struck.add(kind)
        return strikes


class Tally:
    """Counts by kind, from many threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: str, count: int = 1) -> None:
        """Count."""
        with self._lock:
            self._counts[kind] += count

    def by_kind(self) -> dict[str, int]:
        """The counts, in order of kind."""
        return dict(sorted(self._counts.items()))


class FaultyOutput:
    """PutRecords that fails in all the ways that were ever seen.

    Args:
        kinesis: Takes what gets through.
        chaos: Decides what does not.
        clock: The invocation's.
        put_again: Counts the predictions of calls whose answer tells nothing, by event ID.
    """

    def __init__(
        self, kinesis: MemoryKinesis, chaos: Chaos, clock: Clock, put_again: "Tally"
    ) -> None:
        self._put_again = put_again
        self._kinesis = kinesis
        self._chaos = chaos
        self._clock = clock

    def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
        """Put some, all or none of the entries, and tell the truth about each, or nothing."""
        strikes = self._chaos.strikes
        if strikes("output: killed before a put"):
            raise Killed
        if strikes("output: slow, and nothing put"):
            self._clock.pass_by(SLOW_SECONDS)
            raise ConnectionError("read timeout")
        if strikes("output: connection reset before a put"):
            raise ConnectionError("reset")
        if strikes("output: 500"):
            raise ClientError({"Error": {"Code": "InternalFailure"}}, "PutRecords")
        if strikes("output: throttled"):
            return {"FailedRecordCount": 1, "Records": [THROTTLED] * len(Records)}
        results = self._put(StreamName, Records)
        if strikes("output: connection reset after a put"):
            raise ConnectionError("reset")
        if strikes("output: killed after a put"):
            raise Killed
        if strikes("output: fewer answers than entries"):
            for data in chain.from_iterable(payloads(entry["Data"]) for entry in Records):
                self._put_again.add(json.loads(data)["event_id"])
            return {"FailedRecordCount": 0, "Records": results[:-1]}
        return {"FailedRecordCount": self._count(results), "Records": results}

    def _put(self, stream: str, entries: Sequence[Json]) -> list[Json]:
        refused: set[int] = set()
        if self._chaos.strikes("output: some entries throttled"):
            size = self._chaos.random.randint(1, len(entries))
            refused = set(self._chaos.random.sample(range(len(entries)), size))
        taken = [entry for place, entry in enumerate(entries) if place not in refused]
        results = iter(self._kinesis.put_records(StreamName=stream, Records=taken)["Records"])
        return [THROTTLED if n in refused else next(results) for n in range(len(entries))]

    def _count(self, results: Sequence[Json]) -> int:
        failed = sum("ErrorCode" in result for result in results)
        return 0 if failed and self._chaos.strikes("output: wrong count of failures") else failed


class FaultyStore:
    """PutObject that fails, or is not heard of any more.

    Args:
        s3: Takes what gets through.
        chaos: Decides what does not.
        clock: The invocation's.
    """

    def __init__(self, s3: FakeS3, chaos: Chaos, clock: Clock) -> None:
        self._s3 = s3
        self._chaos = chaos
        self._clock = clock

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Json:
        """Write one object, or fail."""
        strikes = self._chaos.strikes
        if strikes("store: killed before a write"):
            raise Killed
        if strikes("store: down"):
            self._clock.pass_by(SLOW_SECONDS)
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "PutObject")
        answer = self._s3.put_object(Bucket=Bucket, Key=Key, Body=Body, ContentType=ContentType)
        if strikes("store: connection reset after a write"):
            raise ConnectionError("reset")
        if strikes("store: killed after a write"):
            raise Killed
        return answer
