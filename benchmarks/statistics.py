"""Medians, quartiles and ratios."""

import statistics
from collections.abc import Sequence

from msgspec import Struct


class Spread(Struct, frozen=True):
    """What some samples are, in the unit of the samples.

    Attributes:
        median: Half of the samples are below.
        low: The first quartile.
        high: The third quartile.
        samples: How many there are.
    """

    median: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Spread":
        """The spread of some samples, at least one."""
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0], 1)
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high, len(samples))


def ratio(dividends: Sequence[float], divisors: Sequence[float]) -> Spread:
    """The spread of the ratios, round by round: what slows both halves of a round cancels out.

    Raises:
        ValueError: There are more of one than of the other.
    """
    return Spread.of([top / bottom for top, bottom in zip(dividends, divisors, strict=True)])
