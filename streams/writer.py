"""Where results go: PutRecords that loses nothing, and the rejection store."""

import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from streams.deadline import Deadline

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


class Entry[Token](Struct, frozen=True, gc=False):
    """One record to put on a stream.

    Attributes:
        token: Whatever the caller recognizes the entry by; the writer never reads it.
        partition_key: 1 to 256 characters.
        data: The record's bytes.
        order: Entries of one partition key and one order may go in the same call. A later order
            waits until the earlier ones have arrived.
    """

    token: Token
    partition_key: str
    data: bytes
    order: Hashable

    @property
    def size(self) -> int:
        """Bytes that count towards a call's limit: the data and the partition key."""
        return len(self.data) + len(self.partition_key.encode())


class Writer[Token](Protocol):
    """Takes entries."""

    def put(self, entries: Sequence[Entry[Token]], deadline: Deadline) -> list[Entry[Token]]:
        """Put the entries, and return those that may not have arrived."""
        ...


class StreamWriter:
    """Puts entries onto a Kinesis stream, and knows which of them did not arrive.

    Entries that Kinesis refuses are sent again, with jittered exponential backoff, until the
    deadline. Entries of one partition key and different orders go in different calls, one after
    the other: PutRecords does not keep their order when only some entries of a call succeed.

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

    def put[Token](self, entries: Sequence[Entry[Token]], deadline: Deadline) -> list[Entry[Token]]:
        """Put the entries, and return those that may not have arrived."""
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

    def _call[Token](self, entries: Sequence[Entry[Token]]) -> list[Entry[Token]]:
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


class _Queue[Token]:
    """Entries to send. Of each partition key, only the entries of one order are ready at a time."""

    def __init__(self, entries: Sequence[Entry[Token]]) -> None:
        self.ready: deque[Entry[Token]] = deque()
        self._under_way: Counter[str] = Counter()
        by_key: dict[str, dict[Hashable, list[Entry[Token]]]] = {}
        for entry in entries:
            of_key = by_key.setdefault(entry.partition_key, {})
            of_key.setdefault(entry.order, []).append(entry)
        self._waiting = {key: deque(of_key.values()) for key, of_key in by_key.items()}
        for key in self._waiting:
            self._release(key)

    def put_back(self, call: Sequence[Entry[Token]], refused: Sequence[Entry[Token]]) -> None:
        """Take back what a call did not get through, and release what waited for the rest."""
        self.ready.extendleft(reversed(refused))
        self._under_way.subtract(entry.partition_key for entry in call)
        self._under_way.update(entry.partition_key for entry in refused)
        for entry in call:
            if not self._under_way[entry.partition_key]:
                self._release(entry.partition_key)

    def unsent(self) -> list[Entry[Token]]:
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


def _take_call[Token](pending: deque[Entry[Token]]) -> Iterator[Entry[Token]]:
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
    """Puts nothing: the output of a test run."""

    def put[Token](self, entries: Sequence[Entry[Token]], deadline: Deadline) -> list[Entry[Token]]:
        """Return that everything arrived."""
        return []
