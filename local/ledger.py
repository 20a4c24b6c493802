"""The account of a run: what was sent, and what became of it."""

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.rides import SampleRide


@dataclass(slots=True)
class Ledger:
    """Rides by the sequence number that the input stream gave them.

    Attributes:
        sent: The rides.
        put_at: When each was put, in monotonic seconds.
        readable_at: When its prediction was first read, in monotonic seconds.
        predictions: How many predictions each has.
        reasons: Why each rejected ride was rejected.
    """

    sent: dict[str, SampleRide] = field(default_factory=dict)
    put_at: dict[str, float] = field(default_factory=dict)
    readable_at: dict[str, float] = field(default_factory=dict)
    predictions: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)

    def take_sent(self, sequence_number: str, ride: SampleRide, now: float) -> None:
        """Note a ride that was put onto the input stream."""
        self.sent[sequence_number] = ride
        self.put_at[sequence_number] = now

    def take_prediction(self, data: bytes, now: float) -> None:
        """Note a record of the output stream."""
        sequence_number = json.loads(data)["event_id"].rpartition(":")[2]
        self.predictions[sequence_number] += 1
        self.readable_at.setdefault(sequence_number, now)

    def take_rejections(self, body: bytes) -> None:
        """Note a rejection object."""
        for line in body.splitlines():
            rejection = json.loads(line)
            self.reasons[rejection["source"]["sequence_number"]] = rejection["reason"]

    def settled(self) -> int:
        """How many rides have a prediction or a rejection."""
        return len(self.predictions.keys() | self.reasons.keys())

    def faults(self) -> list[str]:
        """What does not add up, one line each; empty if every ride is accounted for."""
        return list(self._faults())

    def _faults(self) -> Iterator[str]:
        for sequence_number, ride in self.sent.items():
            predicted = self.predictions[sequence_number] > 0
            rejected = sequence_number in self.reasons
            if predicted == ride.is_bad or rejected != ride.is_bad:
                kind = "bad" if ride.is_bad else "good"
                state = f"{'' if predicted else 'not '}predicted"
                state += f" and {'' if rejected else 'not '}rejected"
                yield f"{kind} ride {ride.partition_key} ({sequence_number}) is {state}"
        for sequence_number in (self.predictions.keys() | self.reasons.keys()) - self.sent.keys():
            yield f"{sequence_number} was predicted or rejected, and never sent"

    def summary(self) -> str:
        """The account for a person, one line a figure."""
        bad = sum(ride.is_bad for ride in self.sent.values())
        reasons = ", ".join(f"{count} {reason}" for reason, count in self._reasons().items())
        return "\n".join(
            [
                f"sent        {len(self.sent):>7} rides, {bad} of them deliberately bad",
                f"predicted   {len(self.predictions):>7}",
                f"rejected    {len(self.reasons):>7} {f'({reasons})' if reasons else ''}".rstrip(),
                f"unaccounted {len(self.faults()):>7}",
                *self._speed(),
            ]
        )

    def _reasons(self) -> dict[str, int]:
        return dict(Counter(self.reasons.values()).most_common())

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
