"""Which records are put again, and with which bytes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import chain

import msgspec

from ops.redrive.failures import Failure, Identity, Kind, identity_of
from ops.redrive.fixup import Fix, NotFixed, fixed
from ops.redrive.put_log import Memory
from streams.aggregation import MAGIC, deaggregate
from streams.errors import EventError
from streams.json_fields import MAX_PARTITION_KEY_CHARACTERS
from streams.rejections import RejectionSource
from streams.writer import Entry


class Fate(StrEnum):
    """What becomes of a record that is meant; the order is that of the summary."""

    PUT = "put"
    BEFORE = "put before"
    SAME = "met twice"
    LEFT_OUT = "left out"
    NOT_FIXED = "not fixed"
    UNFIT = "unfit"


MEANINGS = {
    Fate.PUT: "",
    Fate.BEFORE: "by an earlier put",
    Fate.SAME: "another model or batch gave the same record up",
    Fate.LEFT_OUT: "by the fix-up",
    Fate.NOT_FIXED: "the fix-up failed",
    Fate.UNFIT: "a stream cannot take it",
}


# A record to put.
type Planned = Entry[Identity]


class Plan:
    """Turns failures into records to put, each source record once.

    An aggregated record of a batch is put as it was, unless there is a fix-up, which is for rides,
    some of its user records were put on their own, or the stream takes no record that large: then
    it is taken apart.

    Args:
        memory: What was put before.
        fix: Makes good bytes of bad ones; None leaves them as they were.
        max_bytes: Most bytes of data and key that the stream takes in a record.
        report: Is told of each record that cannot be put, in one line.

    Attributes:
        fates: How many records there are of each fate; `put` counts those that were planned.
        doubtful: How many of the planned may be on the stream already.
    """

    def __init__(
        self, memory: Memory, fix: Fix | None, max_bytes: int, report: Callable[[str], None]
    ) -> None:
        self._memory = memory
        self._fix = fix
        self._max_bytes = max_bytes
        self._report = report
        self._current: Identity | None = None
        self._seen: set[Identity] = set()
        self._taken_apart = {
            identity.whole
            for identity in chain(memory.done, memory.doubtful)
            if identity.sub_sequence_number is not None
        }
        self.fates: Counter[Fate] = Counter()
        self.doubtful = 0

    def records(self, failures: Iterable[Failure]) -> Iterator[Planned]:
        """The records to put, in the order of the failures, which is that of the stream.

        Args:
            failures: Those of one source record follow each other, as `in_order` has them.
        """
        for failure in failures:
            for source, payload in self._parts(failure):
                identity = identity_of(source)
                planned = self._planned(identity, source, payload)
                if planned:
                    self.fates[Fate.PUT] += 1
                    self.doubtful += self._memory.may_have_put(identity)
                    yield planned

    def _parts(self, failure: Failure) -> list[tuple[RejectionSource, bytes]]:
        """The record of a failure, or the user records in it."""
        try:
            payload = failure.payload
            if failure.kind is Kind.BATCH and payload.startswith(MAGIC):
                return self._batch_parts(failure, payload)
        except (ValueError, EventError) as error:
            self._drop(Fate.UNFIT, failure.identity, f"its data is not what was put: {error}")
            return []
        return [(failure.source, payload)]

    def _batch_parts(self, failure: Failure, payload: bytes) -> list[tuple[RejectionSource, bytes]]:
        too_large = self._unfit(failure.source.partition_key, payload)
        if not (self._fix or too_large or failure.identity in self._taken_apart):
            return [(failure.source, payload)]
        try:
            records = deaggregate(payload)
        except ValueError:
            return [(failure.source, payload)]
        return [
            (_part(failure.source, key, place), data) for place, (key, data) in enumerate(records)
        ]

    def _planned(
        self, identity: Identity, source: RejectionSource, payload: bytes
    ) -> Planned | None:
        if self._is_done(identity):
            return None
        data = self._fixed(identity, payload)
        if data is None:
            return None
        unfit = self._unfit(source.partition_key, data)
        if unfit:
            self._drop(Fate.UNFIT, identity, unfit)
            return None
        order = (source.sequence_number, source.sub_sequence_number)
        return Entry(identity, source.partition_key, data, order)

    def _is_done(self, identity: Identity) -> bool:
        whole = identity.whole
        if whole != self._current:
            self._current, self._seen = whole, set()
        if not self._seen.isdisjoint((identity, whole)):
            self._drop(Fate.SAME, identity)
            return True
        self._seen.add(identity)
        if self._memory.has_put(identity):
            self._drop(Fate.BEFORE, identity)
            return True
        return False

    def _fixed(self, identity: Identity, payload: bytes) -> bytes | None:
        if self._fix is None:
            return payload
        try:
            data = fixed(self._fix, payload)
        except NotFixed as error:
            self._drop(Fate.NOT_FIXED, identity, str(error))
            return None
        if data is None:
            self._drop(Fate.LEFT_OUT, identity)
        return data

    def _unfit(self, key: str, data: bytes) -> str:
        """Why a stream takes no such record; empty if it does."""
        characters = len(key.encode("utf-16-le", "surrogatepass")) // 2
        if not 0 < characters <= MAX_PARTITION_KEY_CHARACTERS:
            return (
                f"its partition key has {characters} characters; "
                f"1 to {MAX_PARTITION_KEY_CHARACTERS} can"
            )
        size = len(data) + len(key.encode())
        if size > self._max_bytes:
            return f"it has {size} bytes, and the stream takes {self._max_bytes}"
        return ""

    def _drop(self, fate: Fate, identity: Identity, why: str = "") -> None:
        self.fates[fate] += 1
        if why:
            self._report(f"{identity.position}: {fate}: {why}")


def _part(source: RejectionSource, key: str, place: int | None) -> RejectionSource:
    return msgspec.structs.replace(source, partition_key=key, sub_sequence_number=place)
