"""Where results go: PutRecords that loses nothing, and the rejection store."""

import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from streams.deadline import Deadline
from streams.records import SourceRecord, UserRecord

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

logger = logging.getLogger(__name__)

# API reference, PutRecords: at most 500 entries. 10 MiB a call on AWS, 5 MiB on older emulators.
MAX_CALL_ENTRIES = 500
MAX_CALL_BYTES = 5_000_000

BACKOFF_SECONDS = 0.05
MAX_BACKOFF_SECONDS = 2.0

Json = Mapping[str, Any]


class KinesisWriter(Protocol):
    """The part of boto3's Kinesis client that is used here."""

    def put_records(
        self, *, StreamName: str, Records: "Sequence[PutRecordsRequestEntryTypeDef]"
    ) -> Json:
        """Put entries of `Data` and `PartitionKey`; the answer has a result for each."""
        ...


class Entry(Struct, frozen=True, gc=False):
    """One record for the output stream, and the user record it answers.

    `place` is that of its user record in the source record, if it must not overtake those before
    it; entries without one go together.
    """

    record: UserRecord
    partition_key: str
    data: bytes
    place: int | None = None

    @property
    def source(self) -> SourceRecord:
        """The source record that holds the user record."""
        return self.record.source

    @property
    def size(self) -> int:
        """Bytes that count towards a call's limit: the data and the partition key."""
        return len(self.data) + len(self.partition_key.encode())


class PredictionSink(Protocol):
    """Takes prediction events."""

    def put(self, entries: Sequence[Entry], deadline: Deadline) -> list[Entry]:
        """Send the entries; answer with those that may not have arrived."""
        ...


class PredictionStream:
    """Puts entries onto a Kinesis stream, and knows which of them did not arrive.

    Entries that Kinesis refuses are sent again, with jittered exponential backoff, until the
    deadline. Of one partition key, the entries of different source records, and of different places
    in one, go in different calls, one after the other: PutRecords does not keep their order when
    only some of a call succeed.

    Args:
        client: boto3's Kinesis client, or a fake; it does its own retries of whole calls.
        stream: Name of the output stream.
        sleep: Waits for some seconds.
    """

    def __init__(
        self, client: KinesisWriter, stream: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._stream = stream
        self._sleep = sleep

    def put(self, entries: Sequence[Entry], deadline: Deadline) -> list[Entry]:
        """Send the entries; answer with those that may not have arrived."""
        queue = _Queue(entries)
        stalled = 0
        while queue.ready and not deadline.passed():
            call = list(_take_call(queue.ready))
            try:
                refused = self._call(call)
            except Exception:
                logger.exception("PutRecords on %s failed", self._stream)
                queue.put_back(call, refused=call)
                break
            queue.put_back(call, refused)
            stalled = stalled + 1 if len(refused) == len(call) else 0
            if refused:
                self._sleep(min(_backoff_seconds(stalled), deadline.seconds_left()))
        return queue.unsent()

    def _call(self, entries: Sequence[Entry]) -> list[Entry]:
        """Send one call; answer with the entries that Kinesis did not take."""
        answer = self._client.put_records(
            StreamName=self._stream,
            Records=[{"Data": e.data, "PartitionKey": e.partition_key} for e in entries],
        )
        results = answer["Records"]
        if len(results) != len(entries):
            # Which result is whose is anybody's guess: sending twice is safe, forgetting is not.
            logger.error("PutRecords answered %d of %d entries", len(results), len(entries))
            return list(entries)
        # Each entry's own result, not FailedRecordCount: emulators and proxies get the count wrong.
        refused = [
            entry
            for entry, result in zip(entries, results, strict=True)
            if result.get("ErrorCode") or not result.get("SequenceNumber")
        ]
        if refused:
            logger.warning("PutRecords refused %d of %d entries", len(refused), len(entries))
        return refused


class _Queue:
    """Entries to send: of each partition key, those of one source record are ready at a time.

    The next record's wait until all of them are sent. (The entries of an aggregated record go
    together unless they have places: where it comes again as a whole, it must not take a call for
    each of its rides.)
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.ready: deque[Entry] = deque()
        self._under_way: Counter[str] = Counter()
        by_record: dict[str, dict[tuple[str, int | None], list[Entry]]] = {}
        for entry in entries:
            of_key = by_record.setdefault(entry.partition_key, {})
            of_key.setdefault((entry.source.sequence_number, entry.place), []).append(entry)
        self._waiting = {key: deque(of_key.values()) for key, of_key in by_record.items()}
        for key in self._waiting:
            self._release(key)

    def put_back(self, call: Sequence[Entry], refused: Sequence[Entry]) -> None:
        """Take back what a call did not get through, and release what waited for the rest."""
        self.ready.extendleft(reversed(refused))
        self._under_way.subtract(entry.partition_key for entry in call)
        self._under_way.update(entry.partition_key for entry in refused)
        for entry in call:
            if not self._under_way[entry.partition_key]:
                self._release(entry.partition_key)

    def unsent(self) -> list[Entry]:
        """Everything that is still here."""
        waiting = (
            entry for of_key in self._waiting.values() for group in of_key for entry in group
        )
        return [*self.ready, *waiting]

    def _release(self, key: str) -> None:
        if self._waiting[key]:
            group = self._waiting[key].popleft()
            self._under_way[key] = len(group)
            self.ready.extend(group)


def _take_call(pending: deque[Entry]) -> Iterator[Entry]:
    """Take from the left what fits into one call; at least one entry."""
    size = pending[0].size
    for _ in range(MAX_CALL_ENTRIES):
        yield pending.popleft()
        if not pending:
            return
        size += pending[0].size
        if size > MAX_CALL_BYTES:
            return


def _backoff_seconds(stalled: int) -> float:
    # "Exponential Backoff and Jitter" (AWS Architecture Blog): full jitter. It only grows while
    # nothing at all gets through, so that one stubborn entry does not slow down its neighbours.
    ceiling = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** min(stalled, 16))
    return random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret


class NoStream:
    """Sends nothing: the output of a test run."""

    def put(self, entries: Sequence[Entry], deadline: Deadline) -> list[Entry]:
        """Answer that everything arrived."""
        return []
