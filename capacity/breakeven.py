"""Where one way to pay for streams becomes cheaper than another."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from capacity.bill import bill
from capacity.plan import plan
from capacity.prices import Prices
from capacity.scenario import Mode, Scenario

MOST_RATE = 1e6
MOST_PEAK = 1000.0
_PRECISION = 1.001


def total(scenario: Scenario, prices: Prices) -> float:
    """US dollars a month."""
    return bill(plan(scenario, prices), prices).total


def peak_for_on_demand(scenario: Scenario, prices: Prices) -> float | None:
    """How far the peak must be over the mean for an on-demand mode to be cheaper.

    Answers None if it must be over `MOST_PEAK`.
    """

    def on_demand_is_cheaper(peak: float) -> bool:
        provisioned, *others = (
            total(replace(scenario, mode=mode, peak_factor=peak), prices) for mode in Mode
        )
        return min(others) < provisioned

    return _first(on_demand_is_cheaper, 1.0, MOST_PEAK)


def rate_for_advantage(scenario: Scenario, prices: Prices) -> float | None:
    """Rides a second from which on On-demand Advantage is cheaper than On-demand Standard.

    Answers None if it is over `MOST_RATE`.
    """

    def advantage_is_cheaper(rate: float) -> bool:
        advantage, standard = (
            total(replace(scenario, mode=mode, rides_per_second=rate), prices)
            for mode in (Mode.ADVANTAGE, Mode.ON_DEMAND)
        )
        return advantage < standard

    return _first(advantage_is_cheaper, 1.0, MOST_RATE)


def cheapest(totals: Sequence[float]) -> list[bool]:
    """Which of the totals no other is below."""
    return [each == min(totals) for each in totals]


def _first(holds: Callable[[float], bool], low: float, high: float) -> float | None:
    """The first number for which something holds that holds from there on, to a thousandth."""
    if holds(low):
        return low
    if not holds(high):
        return None
    while high / low > _PRECISION:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
