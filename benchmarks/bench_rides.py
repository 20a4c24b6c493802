"""The rides that models are trained on, and those that are predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model_service.records.ride_events import Ride
from training.examples import Examples, Target
from training.synthetic import synthetic_rides

# "Predictions equal on 60,000 rides."
HELD_OUT = 60_000
_SEED = 7


@dataclass(frozen=True, slots=True)
class Rides:
    """What a run works with.

    Attributes:
        source: Where they come from, in words.
        train: To train on.
        held_out: To predict; 60,000 if there are as many.
    """

    source: str
    train: Examples
    held_out: Sequence[Ride]

    def first(self, count: int) -> Examples:
        """To train on, but no more than so many."""
        return Examples(self.train.source, self.train.rides[:count], self.train.labels[:count])


def read_rides(paths: Sequence[Path]) -> Rides:
    """Rides of TLC's files; those of the last are predicted, all others are trained on.

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
    """Synthetic rides: so many to train on, and 60,000 others to predict."""
    made = synthetic_rides(count, _SEED)
    train = Examples("synthetic rides", [m.ride for m in made], [m.duration for m in made])
    held_out = [m.ride for m in synthetic_rides(HELD_OUT, _SEED + 1)]
    return Rides(
        f"synthetic: trained on {count:,}, predicted {len(held_out):,} others", train, held_out
    )
