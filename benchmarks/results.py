"""What a run measured; tables and plots are made from it."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Way(StrEnum):
    """A way to turn a Kinesis event into predictions."""

    REFERENCE = "reference"
    BATCHED = "both batched"
    SKLEARN = "product, scikit-learn"
    PRODUCT = "product"
    FLOOR = "floor"


class Puts(StrEnum):
    """Where predictions are put."""

    NONE = "none"
    INSTANT = "instant stub"
    LATENT = "stub of 15 ms"


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of some samples."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """Return the spread of one or more samples."""
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0])
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high)


def ratio(dividends: Sequence[float], divisors: Sequence[float]) -> Spread:
    """Return the spread of the ratios within each round, which cancels noise that hits both.

    Raises:
        ValueError: The two have different numbers of rounds.
    """
    return Spread.of([top / bottom for top, bottom in zip(dividends, divisors, strict=True)])


@dataclass(frozen=True)
class Speed:
    """The cost of a ride in one way.

    Attributes:
        model: `linear`, `forest` or `boosting`.
        puts: Where predictions are put.
        batch: Rides in an invocation.
        way: The way that was timed.
        microseconds: Time for one ride.
        times_faster: Than the reference way, by round.
        times_floor: The floor's time is 1, by round; None if the floor was not timed.
    """

    model: str
    puts: Puts
    batch: int
    way: Way
    microseconds: Spread
    times_faster: Spread
    times_floor: Spread | None


@dataclass(frozen=True)
class Start:
    """The cold start of a process.

    Attributes:
        what: The product, the reference way, or boto3 and its clients.
        model: The model that is loaded from S3; empty without a model.
        seconds: From the first line of the script until the first prediction was put.
        of_reference: Share of the reference way's time with this model.
        of_clients: Time of boto3 and its clients is 1.
        resident_mib: Resident memory at the end.
    """

    what: str
    model: str
    seconds: Spread
    of_reference: Spread | None
    of_clients: Spread | None
    resident_mib: Spread


@dataclass(frozen=True)
class Results:
    """Everything that a run measured.

    Attributes:
        about: Command, date, commit, machine, versions and rides.
        speeds: A row for each model, place for puts, batch and way.
        starts: Cold starts.
        installed_mib: Size of installed packages by name; empty if they were not installed.
        largest_difference: Between any model and its twin, in minutes.
    """

    about: str
    speeds: Sequence[Speed]
    starts: Sequence[Start]
    installed_mib: Mapping[str, float]
    largest_difference: float
