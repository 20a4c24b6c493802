"""A decision service in memory: what it is given, and what comes of it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from decision_service.cases import Rules
from decision_service.memory_store import MemoryStore
from decision_service.policy import Policy, worth_a_drive
from decision_service.service import DecisionStream, Service
from decision_service.store import Store
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, FakeS3, kinesis_event
from streams.records import BatchResponse
from streams.rejections import RejectionStore
from streams.writer import StreamWriter
from tests.clock import ManualClock

WINDOW_SECONDS = 60.0


def prediction(field: str, value: object, ride_id: object = 256, event_id: str = "") -> bytes:
    """A prediction event; its ID is made of the rest unless it is given."""
    event = {
        "model": f"{field}_model",
        "version": "1",
        "prediction": {field: value, "ride_id": ride_id},
        "event_id": event_id or f"{field}:{ride_id!r}",
    }
    return json.dumps(event).encode()


def duration(minutes: object = 20.0, ride_id: object = 256, event_id: str = "") -> bytes:
    return prediction("ride_duration", minutes, ride_id, event_id)


def tip(dollars: object = 5.0, ride_id: object = 256, event_id: str = "") -> bytes:
    return prediction("ride_tip", dollars, ride_id, event_id)


class World:
    """The service, with a clock that only moves when it is told to."""

    def __init__(
        self,
        *,
        needed: Sequence[str] = ("ride_duration", "ride_tip"),
        policy: Policy = worth_a_drive,
        answers: Iterable[Any] = (),
        store: Store | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.kinesis = FakeKinesis(answers)
        self.s3 = FakeS3()
        self.memory = MemoryStore()
        self.waiting = ManualClock()
        self.service = Service(
            rules=Rules("ride_id", needed, policy, "ride_decision", "1", WINDOW_SECONDS),
            store=store or self.memory,
            decisions=DecisionStream(
                StreamWriter(self.kinesis, "ride_decisions", sleep=self.waiting.sleep)
            ),
            rejections=RejectionStore(self.s3, "failures", "ride_decision", "1"),
            clock=self.clock,
        )

    def take(self, *payloads: bytes | str, seconds: float = 60) -> BatchResponse:
        event = kinesis_event(payloads, stream="ride_predictions")
        return self.service.handle(event, Deadline(seconds, clock=self.waiting))

    def sweep(self, seconds: float = 60) -> dict[str, int]:
        return self.service.sweep(Deadline(seconds, clock=self.waiting))

    @property
    def decisions(self) -> list[Any]:
        return self.kinesis.events
