"""Rides to train on, and rides to predict, as a file and as Kinesis events."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from model_service.records.ride_events import Ride, RideEvent
from streams.fakes import kinesis_event
from training.examples import Examples, Target
from training.synthetic import synthetic_rides

HELD_OUT = 60_000
_SEED = 7


@dataclass(frozen=True, slots=True)
class Rides:
    """The rides of a run.

    Attributes:
        source: Their origin, for the report.
        train: Rides to train on.
        held_out: Rides to predict, 60,000 at most.
    """

    source: str
    train: Examples
    held_out: Sequence[Ride]

    def first(self, count: int) -> Examples:
        """Return the first rides to train on."""
        return Examples(self.train.source, self.train.rides[:count], self.train.labels[:count])


def read_rides(paths: Sequence[Path]) -> Rides:
    """Read TLC's trip files: the last is predicted, the others are trained on.

    Raises:
        TripsError: A file cannot be read.
    """
    from training.trips import read_trips

    *known, held_out = (read_trips(path, Target.DURATION)[0] for path in paths)
    train = Examples.join(known)
    predicted = held_out.rides[:HELD_OUT]
    return Rides(
        f"real: trained on {len(train.rides):,} of {train.source}, "
        f"predicted {len(predicted):,} of {held_out.source}",
        train,
        predicted,
    )


def make_rides(count: int) -> Rides:
    """Make synthetic rides: so many to train on, and 60,000 others to predict."""
    made = synthetic_rides(count, _SEED)
    train = Examples("synthetic rides", [m.ride for m in made], [m.duration for m in made])
    held_out = [m.ride for m in synthetic_rides(HELD_OUT, _SEED + 1)]
    return Rides(
        f"synthetic: trained on {count:,}, predicted {len(held_out):,} others", train, held_out
    )


def write_rides(path: Path, rides: Sequence[Ride]) -> None:
    """Write rides as ride events, one a line, with ascending IDs."""
    events = [RideEvent(ride, ride_id) for ride_id, ride in enumerate(rides, start=1)]
    path.write_bytes(msgspec.json.Encoder().encode_lines(events))


def kinesis_events(path: Path, batch: int) -> Sequence[Any]:
    """Read a file of rides as whole batches; a batch larger than the file repeats its rides."""
    payloads = path.read_bytes().splitlines()
    payloads *= -(-batch // len(payloads))
    records = kinesis_event(payloads)["Records"]
    return [
        {"Records": records[start : start + batch]}
        for start in range(0, len(records) - batch + 1, batch)
    ]
