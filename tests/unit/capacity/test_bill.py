"""What a plan costs, with sums that a reader can check."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.bill import Bill, advantage_rate, bill, on_demand_peak, tiered, total
from capacity.plan import plan
from capacity.scenario import Mode, Scenario
from tests.unit.capacity.scenarios import PRICES, SCENARIOS, priced, scenario

MONTH = 730 * 3600
GB = 1024**3
BYTES = 1000 * (86 + 6 + 308 + 6)  # a thousand rides and predictions, with keys


def costs_of(rides_per_second: float = 1000, **settings: Any) -> Bill:
    return bill(plan(scenario(rides_per_second, **settings), PRICES), PRICES)


@pytest.mark.parametrize(
    ("settings", "part", "dollars"),
    [
        ({}, "shards", 2 * 730 * 0.015),
        ({}, "put units", 2000 * MONTH / 1e6 * 0.014),
        ({}, "requests", MONTH / 1e6 * 0.20),
        ({}, "duration", 0.043475 * MONTH * 0.0000166667),
        ({"memory_mb": 2048}, "duration", 0.0378 * 2 * MONTH * 0.0000166667),
        ({}, "logs", 1200 * MONTH / GB * 0.50),
        ({}, "traces", MONTH / 1e6 * 5),
        ({}, "monitoring", 6 * 0.30 + (1 + 9) * 0.10 + 3),
        ({}, "rejections", 0.0952 * MONTH / 1000 * 0.005),
        ({}, "retention", 0),
        ({"retention_hours": 72}, "retention", 2 * 730 * 0.02),
        ({"retention_hours": 192}, "retention", 2 * 730 * 0.02 + BYTES * 86400 / GB * 0.023),
        ({"mode": Mode.ON_DEMAND}, "streams", 2 * 730 * 0.04),
        ({"mode": Mode.ON_DEMAND}, "data in", 2000 * 1024 * MONTH / GB * 0.08),
        ({"mode": Mode.ON_DEMAND}, "data out", BYTES * MONTH / GB * 0.04),
        ({"mode": Mode.ON_DEMAND, "fan_out": True}, "data out", BYTES * MONTH / GB * 0.05),
        ({"mode": Mode.ON_DEMAND, "retention_hours": 48}, "retention", BYTES * 86400 / GB * 0.1),
        (
            {"mode": Mode.ON_DEMAND, "retention_hours": 192},
            "retention",
            BYTES * 86400 / GB * (6 * 0.1 + 0.023),
        ),
        ({"mode": Mode.ADVANTAGE}, "data in", 25 * 1024**2 * MONTH / GB * 0.032),
        ({"mode": Mode.ADVANTAGE}, "data out", 25 * 1024**2 * MONTH / GB * 0.016),
        ({"fan_out": True}, "fan-out", 2 * 730 * 0.015 + BYTES * MONTH / GB * 0.013),
        ({"predictors": 2, "decisions": False}, "traces", 2 * MONTH / 1e6 * 5),
        ({"predictors": 2}, "monitoring", (12 + 7) * 0.30 + (1 + 2 * 9 + 12) * 0.10 + 2 * 3),
        ({"rides_per_second": 11_000}, "traces", 1.5 * MONTH / 1e6 * 5),
    ],
)
def test_part_of_a_bill_is_use_times_price(
    settings: dict[str, Any], part: str, dollars: float
) -> None:
    """A thousand small rides a second, in one batch, cost what AWS's price pages say."""
    assert costs_of(**settings).parts[part] == pytest.approx(dollars, rel=0.001)


def test_price_in_tiers_reproduces_the_published_example() -> None:
    """60 TB of Lambda logs cost $12,500, with a TB of 1,000 GB."""
    assert tiered(60_000, [(0, 0.5), (10_000, 0.25), (30_000, 0.1), (50_000, 0.05)]) == 12_500


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_price_in_tiers_grows_with_the_units_but_not_faster(units: int, more: int) -> None:
    """A discount of volume never makes more units cheaper, nor dearer than at the first price."""
    tiers = PRICES.tiers["gb_seconds"]
    low, high = tiered(units, tiers), tiered(units + more, tiers)

    assert low <= high * (1 + 1e-9)
    assert high - low <= more * tiers[0][1] + high * 1e-9


@given(SCENARIOS)
def test_total_is_the_sum_of_parts_that_are_never_negative(asked: Scenario) -> None:
    """No setting earns money, and every part is in the total."""
    costs = bill(plan(asked, PRICES), PRICES)

    assert all(dollars >= 0 for dollars in costs.parts.values())
    assert costs.total == pytest.approx(sum(costs.parts.values()))


def test_bill_without_prices_is_zero() -> None:
    """Every dollar of the most expensive scenario comes from a price of the file."""
    ends = ("_hour", "_million", "_gb", "_month", "_thousand")
    free = {
        f"{section}__{name}": 0
        for section in PRICES.__slots__
        if section != "tiers"
        for name in vars(getattr(PRICES, section))
        if name.endswith(ends)
    }
    prices = replace(priced(**free), tiers={"gb_seconds": [(0, 0)], "log_gb": [(0, 0)]})

    for mode in Mode:
        asked = scenario(1e6, mode=mode, predictors=3, fan_out=True, retention_hours=8760)
        assert total(asked, prices) == 0


def test_on_demand_is_cheaper_from_the_break_even_peak_on() -> None:
    """Just below that peak provisioned streams are cheaper, and just above they are not."""
    peak = on_demand_peak(scenario(), PRICES)

    assert peak is not None
    for factor, cheaper in ((0.99, Mode.PROVISIONED), (1.01, Mode.ON_DEMAND)):
        totals = {
            mode: total(scenario(), PRICES, mode=mode, peak_factor=peak * factor)
            for mode in (Mode.PROVISIONED, Mode.ON_DEMAND)
        }
        assert min(totals, key=lambda mode: totals[mode]) is cheaper


def test_advantage_is_cheaper_from_the_break_even_rate_on() -> None:
    """The minimum of 25 MiB a second makes Advantage dear for few rides."""
    rate = advantage_rate(scenario(), PRICES)

    assert rate is not None
    for factor, cheaper in ((0.99, Mode.ON_DEMAND), (1.01, Mode.ADVANTAGE)):
        totals = {
            mode: total(scenario(rate * factor), PRICES, mode=mode)
            for mode in (Mode.ON_DEMAND, Mode.ADVANTAGE)
        }
        assert min(totals, key=lambda mode: totals[mode]) is cheaper


def test_break_even_is_none_where_it_is_never_reached_and_one_where_it_always_is() -> None:
    """One ride a second fits into a shard at any peak, and free streams are always cheaper."""
    free = priced(on_demand__stream_hour=0, on_demand__in_gb=0, on_demand__out_gb=0)

    assert on_demand_peak(scenario(1), PRICES) is None
    assert on_demand_peak(scenario(10_000), free) == 1
    assert advantage_rate(scenario(), priced(on_demand_advantage__in_gb=1)) is None
