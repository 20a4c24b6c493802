"""The account of a run: what was sent, and what became of it."""

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from local.demo_rides import SampleRide


@dataclass(slots=True)
class Ledger:
    """Rides by the sequence number that the input stream gave them.

    Attributes:
        models: The names of the predictors, each of which predicts or rejects each ride.
        is_deciding: Whether each ride that all of them predict is decided on.
        sent: The rides.
        put_at: When each was put, in monotonic seconds.
        readable_at: When all its predictions could be read, in monotonic seconds.
        predictions: How many predictions each has of each model.
        reasons: Why each rejected ride was rejected, by each model.
        decisions: How many decisions there are on each ride, by its ID.
        incomplete: IDs of rides whose decision misses a prediction.
    """

    models: Sequence[str] = ("model",)
    is_deciding: bool = False
    sent: dict[str, SampleRide] = field(default_factory=dict)
    put_at: dict[str, float] = field(default_factory=dict)
    readable_at: dict[str, float] = field(default_factory=dict)
    predictions: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, dict[str, str]] = field(default_factory=dict)
    decisions: Counter[str] = field(default_factory=Counter)
    incomplete: set[str] = field(default_factory=set)

    def take_sent(self, sequence_number: str, ride: SampleRide, now: float) -> None:
        """Note a ride that was put onto the input stream."""
        self.sent[sequence_number] = ride
        self.put_at[sequence_number] = now

    def take_prediction(self, data: bytes, now: float) -> None:
        """Note a record of the stream of predictions."""
        model, _, position = json.loads(data)["event_id"].partition(":")
        sequence_number = position.rpartition(":")[2]
        self.predictions.setdefault(sequence_number, Counter())[model] += 1
        if self._is_predicted(sequence_number):
            self.readable_at.setdefault(sequence_number, now)

    def take_decision(self, data: bytes) -> None:
        """Note a record of the stream of decisions."""
        event = json.loads(data)
        ride_id = str(event["decision"]["ride_id"])
        self.decisions[ride_id] += 1
        if event["missing"]:
            self.incomplete.add(ride_id)

    def take_rejections(self, body: bytes) -> None:
        """Note a rejection object."""
        for line in body.splitlines():
            rejection = json.loads(line)
            reasons = self.reasons.setdefault(rejection["source"]["sequence_number"], {})
            reasons[rejection["model"]] = rejection["reason"]

    def settled(self) -> int:
        """How many rides have a decision, or all the predictions or rejections they are to have."""
        return sum(self._is_settled(number, ride) for number, ride in self.sent.items())

    def progress(self) -> int:
        """How much is known; it grows as long as there is something to wait for."""
        return len(self.reasons) + len(self.decisions) + len(self.readable_at)

    def faults(self) -> list[str]:
        """What does not add up, one line each; empty if every ride is accounted for."""
        return list(self._faults())

    def _is_predicted(self, number: str) -> bool:
        return all(model in self.predictions.get(number, ()) for model in self.models)

    def _is_rejected(self, number: str) -> bool:
        return all(model in self.reasons.get(number, ()) for model in self.models)

    def _is_settled(self, number: str, ride: SampleRide) -> bool:
        if self._is_rejected(number):
            return True
        is_decided = not self.is_deciding or ride.partition_key in self.decisions
        return self._is_predicted(number) and is_decided

    def _faults(self) -> Iterator[str]:
        for number, ride in self.sent.items():
            predicted, rejected = self._is_predicted(number), self._is_rejected(number)
            if predicted == ride.is_bad or rejected != ride.is_bad:
                kind = "bad" if ride.is_bad else "good"
                state = f"{'' if predicted else 'not '}predicted"
                state += f" and {'' if rejected else 'not '}rejected"
                yield f"{kind} ride {ride.partition_key} ({number}) is {state}"
            if self.is_deciding:
                yield from self._faults_of_decision(number, ride)
        for number in (self.predictions.keys() | self.reasons.keys()) - self.sent.keys():
            yield f"{number} was predicted or rejected, and never sent"

    def _faults_of_decision(self, number: str, ride: SampleRide) -> Iterator[str]:
        wanted, found = (0 if ride.is_bad else 1), self.decisions[ride.partition_key]
        if found != wanted:
            yield (
                f"ride {ride.partition_key} ({number}) has {found} decisions; it must have {wanted}"
            )
        if ride.partition_key in self.incomplete:
            yield f"ride {ride.partition_key} ({number}) was decided without all its predictions"

    def summary(self) -> str:
        """The account for a person, one line a figure."""
        bad = sum(ride.is_bad for ride in self.sent.values())
        rejected = [number for number in self.reasons if self._is_rejected(number)]
        reasons = ", ".join(f"{count} {reason}" for reason, count in self._reasons().items())
        return "\n".join(
            [
                f"sent        {len(self.sent):>7} rides, {bad} of them deliberately bad",
                f"predicted   {len(self.readable_at):>7}{self._by_each()}",
                *([f"decided     {len(self.decisions):>7}"] if self.is_deciding else []),
                f"rejected    {len(rejected):>7} {f'({reasons})' if reasons else ''}".rstrip(),
                f"unaccounted {len(self.faults()):>7}",
                *self._speed(),
            ]
        )

    def _by_each(self) -> str:
        return f" by each of {len(self.models)} predictors" if len(self.models) > 1 else ""

    def _reasons(self) -> dict[str, int]:
        first = (next(iter(reasons.values())) for reasons in self.reasons.values())
        return dict(Counter(first).most_common())

    def _speed(self) -> Iterator[str]:
        waits = sorted(self.readable_at[n] - self.put_at[n] for n in self.readable_at)
        if not waits:
            return
        seconds = max(self.readable_at.values()) - min(self.put_at.values())
        p99 = waits[int(0.99 * (len(waits) - 1))]
        yield f"throughput  {len(self.sent) / seconds:>7.0f} rides/s, first put to last read"
        yield (
            f"latency     {statistics.median(waits) * 1000:>7.0f} ms from put to readable, "
            f"median ({p99 * 1000:.0f} ms p99)"
        )
