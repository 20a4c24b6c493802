"""Where one mode becomes cheaper than another."""

from dataclasses import replace

import pytest

from capacity.breakeven import peak_for_on_demand, rate_for_advantage, total
from capacity.scenario import Mode, Scenario
from tests.unit.capacity.scenarios import PRICES, priced, scenario


def dearer(asked: Scenario, one: Mode, other: Mode) -> bool:
    first, second = (total(replace(asked, mode=mode), PRICES) for mode in (one, other))
    return first > second


def test_peak_from_which_on_demand_is_cheaper_is_where_the_order_turns() -> None:
    """A little below it provisioned is cheaper, a little above on demand is."""
    asked = scenario(1000)
    peak = peak_for_on_demand(asked, PRICES)

    assert peak is not None
    assert not dearer(replace(asked, peak_factor=peak * 0.99), Mode.PROVISIONED, Mode.ON_DEMAND)
    assert dearer(replace(asked, peak_factor=peak * 1.01), Mode.PROVISIONED, Mode.ON_DEMAND)


def test_peak_is_none_where_on_demand_never_pays() -> None:
    """A ride a second fits into one shard, however it comes."""
    assert peak_for_on_demand(scenario(1), PRICES) is None


def test_peak_is_one_where_on_demand_is_always_cheaper() -> None:
    """If AWS gave it away."""
    free = priced("on_demand", stream_hour=0, in_gb=0, out_gb=0)

    assert peak_for_on_demand(scenario(10_000), free) == 1


def test_rate_from_which_advantage_is_cheaper_is_where_the_order_turns() -> None:
    """Its minimum is 25 MiB/s; records of 1 KB in two streams come to that."""
    rate = rate_for_advantage(scenario(1), PRICES)

    assert rate is not None
    assert not dearer(scenario(rate * 0.99), Mode.ON_DEMAND, Mode.ADVANTAGE)
    assert dearer(scenario(rate * 1.01), Mode.ON_DEMAND, Mode.ADVANTAGE)


def test_rate_is_none_where_advantage_never_pays() -> None:
    """If it were dearer by the gigabyte."""
    dear = priced("on_demand_advantage", in_gb=1.0)

    assert rate_for_advantage(scenario(1), dear) is None


@pytest.mark.parametrize("rate", [10, 1000, 100_000])
def test_steady_rides_are_cheapest_on_provisioned_streams(rate: float) -> None:
    """What docs/capacity.md says."""
    assert not dearer(scenario(rate), Mode.PROVISIONED, Mode.ON_DEMAND)
    assert not dearer(scenario(rate), Mode.PROVISIONED, Mode.ADVANTAGE)
