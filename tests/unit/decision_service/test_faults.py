"""Exactly one decision a ride, whatever fails and whoever comes between."""

import json
import random
from itertools import batched
from typing import Any

import pytest

from decision_service.cases import Rules
from decision_service.policy import worth_a_drive
from decision_service.service import DecisionStream, Service
from streams.deadline import Deadline
from streams.fakes import FIRST_SEQUENCE_NUMBER, FakeS3, kinesis_event
from streams.rejections import RejectionStore
from streams.writer import StreamWriter
from tests.unit.decision_service.faults import (
    Chance,
    Crash,
    FaultyDynamo,
    FaultyKinesis,
    InTurn,
    decisions,
)
from tests.unit.decision_service.world import WINDOW_SECONDS, prediction

SEEDS = 200
NEEDED = ("ride_duration", "ride_tip")
MOST_AT_ONCE = 4

# By the ride's ID as JSON: of each name that comes, the values and event IDs that may count.
Sent = dict[str, dict[str, set[tuple[float, str]]]]


class Environment:
    """Invocations of the decision function by batches and by a schedule, some within others."""

    def __init__(self, seed: int, batches: list[list[bytes]]) -> None:
        self.chance = Chance(seed, self._come_between)
        self.random = self.chance.random
        self.dynamo = FaultyDynamo(self.chance)
        self.kinesis = FaultyKinesis(self.chance)
        self.batches = batches
        self.now = 1000.0
        self._at_once = 0

    def step(self) -> None:
        """Invoke with a batch, or by the schedule; what fails comes again."""
        self.now += self.random.choice((0, 0.1, 5, WINDOW_SECONDS / 2))
        self.dynamo.catch_up(0.5)
        try:
            if self.batches and self.random.random() < 0.7:
                self._handle(self.batches.pop(self.random.randrange(len(self.batches))))
            else:
                self._service().sweep(self._deadline())
        except (OSError, Crash):
            pass

    def settle(self) -> None:
        """Let all come again that is to, without faults, and then the schedule."""
        self.chance.is_quiet = True
        while self.batches:
            self._handle(self.batches.pop())
        for _ in range(3):
            self.now += 2 * WINDOW_SECONDS
            self.dynamo.catch_up(1)
            self._service().sweep(self._deadline())

    def _handle(self, batch: list[bytes]) -> None:
        left = batch
        try:
            answer = self._service().handle(kinesis_event(batch), self._deadline())
            failed = [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]
            left = batch[failed[0] - FIRST_SEQUENCE_NUMBER :] if failed else []
        finally:
            self.batches += [left] if left else []

    def _come_between(self) -> None:
        is_alone = self.chance.is_quiet or self.random.random() > 0.05
        if is_alone or self._at_once == MOST_AT_ONCE:
            return
        self._at_once += 1
        self.step()
        self._at_once -= 1

    def _service(self) -> Service:
        skew = 0 if self.chance.is_quiet else self.random.uniform(-3, 3)
        return Service(
            rules=Rules("ride_id", NEEDED, self._policy, "ride_decision", "1", WINDOW_SECONDS),
            store=InTurn(self.dynamo),
            decisions=DecisionStream(
                StreamWriter(self.kinesis, "ride_decisions", sleep=lambda _: None)
            ),
            rejections=RejectionStore(FakeS3(), "failures", "ride_decision", "1"),
            clock=lambda: self.now + skew,
        )

    def _policy(self, values: Any, missing: Any) -> Any:
        if not self.chance.is_quiet and self.random.random() < 0.03:
            raise ValueError("a policy that fails at times")
        return worth_a_drive(values, missing)

    def _deadline(self) -> Deadline:
        """One that passes after so many looks at the clock."""
        looks = iter(range(10**6 if self.chance.is_quiet else self.random.randrange(5, 200)))
        return Deadline(60, clock=lambda: 0.0 if next(looks, None) is not None else 1e9)


def rides(seed: int) -> tuple[Sent, list[list[bytes]]]:
    """Some rides, whose predictions are shuffled, there twice, of two versions, or missing."""
    chance = random.Random(seed)
    sent: Sent = {}
    events: list[bytes] = []
    for number in range(chance.randrange(1, 9)):
        for ride_id in chance.choice(([number], [str(number)], [number, str(number)])):
            values = sent[json.dumps(ride_id)] = {}
            for name in chance.choice((NEEDED, NEEDED, NEEDED[:1], NEEDED[1:])):
                versions = {
                    (chance.uniform(1, 50), f"{name}:{ride_id!r}:{version}")
                    for version in range(chance.choice((1, 1, 2)))
                }
                values[name] = versions
                for value, event_id in sorted(versions):
                    event = prediction(name, value, ride_id, event_id)
                    events += [event] * chance.choice((1, 1, 2, 3))
    events += [b"{", prediction("ride_surge", 1.0)] * chance.randrange(2)
    chance.shuffle(events)
    return sent, [list(batch) for batch in batched(events, chance.randrange(1, 9), strict=False)]


@pytest.mark.parametrize("first", range(0, SEEDS, 100))
def test_every_ride_is_decided_once_and_rightly_whatever_fails(first: int) -> None:
    """Any call fails, before or after it did its work; environments end; others come between.

    Clocks differ by seconds, time runs out, the index lags behind, the policy fails at times. Then
    what is left comes again: no ride is without a decision, none has two that differ, each is on
    values that were sent, and names exactly what it lacks.
    """
    for seed in range(first, first + 100):
        sent, batches = rides(seed)
        environment = Environment(seed, batches)
        for _ in range(environment.random.randrange(5, 60)):
            environment.step()
        environment.settle()

        found = decisions(environment.kinesis.taken)
        assert found.keys() == sent.keys(), seed
        for ride_id, events in found.items():
            assert len(events) == 1, (seed, events)
            assert is_right(json.loads(*events), sent[ride_id]), (seed, events)
        assert [i for i in environment.dynamo.items.values() if "due" in i] == [], seed


def is_right(event: Any, sent: dict[str, set[tuple[float, str]]]) -> bool:
    """Whether a decision is on what was sent of its ride."""
    held = event["predictions"]
    return set(event["missing"]) == set(NEEDED) - held.keys() and all(
        (each["value"], each["event_id"]) in sent[name] for name, each in held.items()
    )
