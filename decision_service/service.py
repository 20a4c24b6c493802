"""A batch of predictions in; decisions, rejections and failed items out. And what is overdue."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from decision_service.arrivals import Arrival, arrival_decoder, key_of, key_text
from decision_service.cases import Case, PolicyFailed, Rules, decided, is_ripe, joined
from decision_service.store import Store
from streams.deadline import Deadline
from streams.errors import Rejected
from streams.logs import log_fields
from streams.outcome import Outcome
from streams.records import BatchResponse, UserRecord
from streams.rejections import RejectionSink
from streams.writer import Entry, Writer

logger = logging.getLogger(__name__)

# Cases that are loaded, changed and saved together; between, it is looked at the time.
CASES_AT_A_TIME = 500
# How often a case is taken up anew that somebody else saved meanwhile, before its records are
# left to come again.
ATTEMPTS = 3


class Arrived(Struct, frozen=True, gc=False):
    """An arrival, and the record that held it."""

    record: UserRecord
    arrival: Arrival


class DecisionSink(Protocol):
    """Takes decision events by the texts of their keys."""

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        ...


class DecisionStream:
    """Puts decision events onto a stream under the partition key `str(key)`.

    Args:
        writer: Such as `streams.writer.StreamWriter`.
    """

    def __init__(self, writer: Writer[str]) -> None:
        self._writer = writer

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        # A key has one decision, so its entries have no order to keep.
        entries = [
            Entry(key, str(key_of(key)), decision.encode(), order=None)
            for key, decision in decisions.items()
        ]
        return decisions.keys() - {entry.token for entry in self._writer.put(entries, deadline)}


class Service:
    """Joins predictions by what they are about, and decides once on each.

    A decision is saved, then put, then saved as put. So whoever takes up a case after a failure
    puts the decision that was made, and never another one.

    Args:
        rules: What is decided, on what.
        store: Keeps cases.
        decisions: Takes decision events.
        rejections: Takes records that can never succeed.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        store: Store,
        decisions: DecisionSink,
        rejections: RejectionSink,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules = rules
        self._store = store
        self._decisions = decisions
        self._rejections = rejections
        self._clock = clock
        self._decode_arrival = arrival_decoder(rules.key_field, rules.needed)

    def handle(self, event: Mapping[str, Any], deadline: Deadline) -> BatchResponse:
        """Process a batch of prediction events.

        Args:
            event: A batch of Kinesis records, as Lambda delivers it.
            deadline: When to stop; what is not done by then is reported as failed.

        Returns:
            `batchItemFailures` with the lowest sequence number that is not done, if there is one.

        Raises:
            EventError: The event is not a batch of Kinesis records.
        """
        outcome, counts = Outcome(event), Counter[str]()
        by_key = self._decode(outcome, counts)
        name, version = self._rules.name, self._rules.version
        outcome.store_rejections(self._rejections, deadline, model=name, version=version)
        for keys in batched(by_key, CASES_AT_A_TIME, strict=False):
            for key in self._take({key: by_key[key] for key in keys}, counts, deadline):
                outcome.unfinished += [arrived.record.source for arrived in by_key[key]]
        self._log(outcome, counts)
        return outcome.response()

    def sweep(self, deadline: Deadline) -> dict[str, int]:
        """Decide what waited long enough, and put what was decided and not put.

        What there is no time for is there for the next sweep, the oldest first.

        Returns:
            How many cases were `decided`, and how many decisions were `put`.
        """
        counts: Counter[str] = Counter(
            dict.fromkeys(("decided", "incomplete", "undecided", "put"), 0)
        )
        now = self._clock()
        for keys in self._due(now):
            if deadline.passed():
                logger.warning("there was no time for all cases that are due")
                break
            loaded = self._store.load(keys)
            ripe = {
                key: self._decided(case, key, now, counts)
                for key, case in loaded.items()
                if is_ripe(case, self._rules, now)
            }
            # What somebody else decided meanwhile is his to put.
            cases = {**loaded, **self._store.save(ripe, deadline)}
            counts["put"] += len(self._put(cases, deadline))
        # Whether there was time or not: an alarm goes by it.
        fields = {"model": self._rules.name, **counts}
        log_fields(
            logger,
            "swept: %(decided)d decided, %(incomplete)d of them incomplete, %(put)d put; "
            "%(undecided)d cases without a decision",
            fields,
        )
        return dict(counts)

    def _due(self, now: float) -> Iterator[Sequence[str]]:
        """Keys of cases that are due, so many at a time."""
        for page in self._store.due(now):
            yield from batched(page, CASES_AT_A_TIME, strict=False)

    def _decode(self, outcome: Outcome, counts: Counter[str]) -> dict[str, list[Arrived]]:
        """Arrivals by the texts of their keys, in the order of the stream."""
        by_key: dict[str, list[Arrived]] = {}
        for record in outcome.user_records():
            try:
                arrival = self._decode_arrival(record.payload)
            except Rejected as rejected:
                outcome.reject(record, rejected.reason, rejected.detail)
                continue
            if arrival.values:
                by_key.setdefault(key_text(arrival.key), []).append(Arrived(record, arrival))
            else:
                counts["ignored"] += 1
        return by_key

    def _take(
        self, by_key: Mapping[str, list[Arrived]], counts: Counter[str], deadline: Deadline
    ) -> set[str]:
        """Join arrivals to their cases, decide those that are ripe; answer with the unfinished."""
        left: Collection[str] = by_key.keys()
        finished: dict[str, Case] = {}
        for _ in range(ATTEMPTS):
            if not left or deadline.passed():
                break
            loaded = self._store.load(left)
            tried: dict[str, Counter[str]] = {key: Counter() for key in left}
            cases = {
                key: self._joined(loaded.get(key), key, by_key[key], tried[key]) for key in left
            }
            changed = {key: case for key, case in cases.items() if case is not loaded.get(key)}
            saved = self._store.save(changed, deadline)
            left = [key for key in changed if key not in saved]
            for key in (key for key in cases if key not in changed or key in saved):
                finished[key] = saved.get(key, cases[key])
                counts.update(tried[key])
        return {*left, *(_unput(finished).keys() - self._put(finished, deadline))}

    def _joined(
        self, loaded: Case | None, key: str, arrived: Sequence[Arrived], counts: Counter[str]
    ) -> Case:
        now = self._clock()
        case = loaded or Case(due=now + self._rules.window_seconds)
        for each in arrived:
            before = case
            case = joined(case, each.arrival, now)
            counts["duplicates"] += case is before
            counts["late"] += case is not before and (now > case.due or bool(case.too_late))
        return self._decided(case, key, now, counts) if is_ripe(case, self._rules, now) else case

    def _decided(self, case: Case, key: str, now: float, counts: Counter[str]) -> Case:
        try:
            case = decided(case, key_of(key), self._rules)
        except PolicyFailed as error:
            # It keeps what it holds, and is decided when the policy is mended.
            logger.error("the policy failed: %s", error)
            counts["undecided"] += 1
            return replace(case, due=now + self._rules.window_seconds)
        counts["decided"] += 1
        counts["incomplete"] += bool(case.missing)
        return case

    def _put(self, cases: Mapping[str, Case], deadline: Deadline) -> set[str]:
        """Put decisions that are saved, and save that they are put; answer with those that are."""
        unput = _unput(cases)
        # A stream that refuses takes all the time it is given: the rest is for saving what is put.
        put = self._decisions.put(unput, deadline.halfway()) if unput else set()
        # Whatever cannot be saved now is put once more by a sweep, and is the same event then.
        self._store.save({key: replace(cases[key], is_put=True) for key in put}, deadline)
        return put

    def _log(self, outcome: Outcome, counts: Counter[str]) -> None:
        outcome.log_rejections(logger)
        fields = {
            "model": self._rules.name,
            "records": len(outcome.records),
            **{name: counts[name] for name in _COUNTED},
            "rejected": len(outcome.rejected),
            "unfinished": outcome.unfinished_records,
        }
        log_fields(
            logger,
            "%(records)d records: %(decided)d decided, %(incomplete)d of them incomplete; %(late)d "
            "late, %(duplicates)d duplicates, %(ignored)d of no need, %(rejected)d rejected; "
            "%(undecided)d cases without a decision; %(unfinished)d records come again",
            fields,
        )


# Of cases: decided, those among them that miss a prediction, those that the policy failed on. Of
# predictions: after their window, passed over, of other models.
_COUNTED = ("decided", "incomplete", "undecided", "late", "duplicates", "ignored")


def _unput(cases: Mapping[str, Case]) -> dict[str, str]:
    """Decisions that are made, and not known to be on the stream."""
    return {
        key: case.decision
        for key, case in cases.items()
        if case.decision is not None and not case.is_put
    }
