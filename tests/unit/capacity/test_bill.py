"""What a plan costs, with prices that make the sums plain."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from msgspec import Struct

from capacity.bill import bill, tiered
from capacity.plan import plan
from capacity.scenario import Architecture, Mode, Scenario
from tests.unit.capacity.scenarios import PRICES, SCENARIOS, priced, scenario

MONTH_SECONDS = 730 * 3600


def test_provisioned_streams_cost_shards_and_put_units() -> None:
    """1,000 small records a second in and out: two shards, 2,000 units a second."""
    costs = bill(plan(scenario(1000), PRICES), PRICES)

    assert costs.capacity == pytest.approx(2 * 730 * 0.015)
    assert costs.put_units == pytest.approx(2000 * MONTH_SECONDS / 1e6 * 0.014)
    assert (costs.data_in, costs.data_out, costs.retention) == (0, 0, 0)


def test_aggregated_predictions_cost_a_put_unit_for_each_25_kilobytes() -> None:
    """16 records of 20 kB, some of which are over 25, where 1,000 records are 1,000 units."""
    aggregated = plan(scenario(1000, aggregate_predictions=True), PRICES)

    assert aggregated.output.put_units(25_000) == pytest.approx(16.6, abs=0.1)


def test_on_demand_streams_cost_hours_and_bytes_rounded_up() -> None:
    """A ride of 86 bytes is written as 1 KB, and read as it is."""
    costs = bill(plan(scenario(1000, mode=Mode.ON_DEMAND), PRICES), PRICES)
    gb = MONTH_SECONDS / 1024**3

    assert costs.capacity == pytest.approx(2 * 730 * 0.04)
    assert costs.data_in == pytest.approx(2 * 1000 * 1024 * gb * 0.08)
    assert costs.data_out == pytest.approx(1000 * (86 + 6 + 308 + 6) * gb * 0.04)
    assert costs.put_units == 0


def test_on_demand_advantage_bills_25_mib_a_second_at_least() -> None:
    """In and out, whatever there is."""
    costs = bill(plan(scenario(1, mode=Mode.ADVANTAGE), PRICES), PRICES)
    gb = 25 * 1024**2 * MONTH_SECONDS / 1024**3

    assert costs.data_in == pytest.approx(gb * 0.032)
    assert costs.data_out == pytest.approx(gb * 0.016)


def test_retention_is_free_for_a_day_then_by_the_shard_then_by_the_gigabyte() -> None:
    """Provisioned: up to seven days cost the same, and a year what it keeps."""
    day, three, week, eight = (
        bill(plan(scenario(1000, retention_hours=hours), PRICES), PRICES).retention
        for hours in (24, 72, 168, 192)
    )

    assert day == 0
    assert three == week == pytest.approx(2 * 730 * 0.02)
    kept = 1000 * (86 + 6 + 308 + 6) * 24 * 3600 / 1024**3
    assert eight - week == pytest.approx(kept * 0.023)


def test_retention_on_demand_is_by_the_gigabyte_from_the_second_day_on() -> None:
    """Two days keep a day's bytes that are billed."""
    asked = scenario(1000, retention_hours=48, mode=Mode.ON_DEMAND)
    kept = 1000 * (86 + 6 + 308 + 6) * 24 * 3600 / 1024**3

    assert bill(plan(asked, PRICES), PRICES).retention == pytest.approx(kept * 0.10)


def test_fan_out_costs_consumer_hours_and_what_is_read() -> None:
    """Two predictors on one shard, and nobody on the output."""
    asked = scenario(1000, predictors=2, decides=False, output_consumers=0, fan_out=True)
    without = replace(asked, fan_out=False)
    costs, plain = (bill(plan(each, PRICES), PRICES) for each in (asked, without))

    assert costs.capacity - plain.capacity == pytest.approx(2 * 730 * 0.015)
    gb = 2 * 1000 * 92 * MONTH_SECONDS / 1024**3
    assert costs.data_out == pytest.approx(gb * 0.013)


def test_lambda_costs_requests_and_gigabyte_seconds() -> None:
    """One invocation a second, of so many seconds, with 1 GB."""
    needed = plan(scenario(1000), PRICES)
    costs = bill(needed, PRICES)

    assert costs.requests == pytest.approx(MONTH_SECONDS / 1e6 * 0.2)
    assert costs.duration == pytest.approx(needed.batch.seconds * MONTH_SECONDS * 0.0000166667)


def test_lambda_on_arm_has_its_own_price() -> None:
    """Same duration, other price."""
    x86, arm = (
        bill(plan(scenario(1000, architecture=each), PRICES), PRICES).duration
        for each in Architecture
    )

    assert arm / x86 == pytest.approx(0.0000133334 / 0.0000166667)


def test_cold_starts_are_billed() -> None:
    """An environment that is replaced every two hours starts 365 times a month."""
    costs = bill(plan(scenario(1), PRICES), PRICES)

    assert costs.init == pytest.approx(365 * 0.5 * 0.0000166667)


def test_traces_are_the_first_of_a_second_and_a_share_of_the_rest() -> None:
    """11 invocations a second are 1.5 traces."""
    costs = bill(plan(scenario(11_000), PRICES), PRICES)

    assert costs.traces == pytest.approx(1.5 * MONTH_SECONDS / 1e6 * 5)


def test_every_predictor_has_its_own_first_traces_and_metrics() -> None:
    """Two predictors on 1,000 rides a second are two invocations a second, both traced."""
    one, two = (
        bill(plan(scenario(1000, predictors=n, decides=False), PRICES), PRICES) for n in (1, 2)
    )

    assert two.traces == pytest.approx(2 * one.traces)
    assert two.monitoring - one.monitoring == pytest.approx(6 * 0.30)


def test_logs_are_billed_by_tiers() -> None:
    """60 TB of Lambda logs are $12,500 by AWS's tiers, TB of 1,000 GB."""
    tiers = [(10_000, 0.5), (20_000, 0.25), (20_000, 0.1), (inf, 0.05)]

    assert tiered(60_000, tiers) == pytest.approx(12_500)


def test_tiers_begin_with_the_first() -> None:
    """What fits into one tier has one price."""
    assert tiered(0, [(1, 2), (inf, 1)]) == 0
    assert tiered(1, [(1, 2), (inf, 1)]) == 2
    assert tiered(3, [(1, 2), (inf, 1)]) == 4


def test_rejections_are_one_put_of_a_batch() -> None:
    """If every ride is bad, each invocation writes one object."""
    costs = bill(plan(scenario(1000, rejected_share=1), PRICES), PRICES)

    assert costs.rejections == pytest.approx(MONTH_SECONDS / 1000 * 0.005)


def test_rejections_are_rarely_two_in_a_batch_if_few_rides_are_bad() -> None:
    """One in 10,000 rides is bad: of batches with 1,000, one in ten or so has one."""
    costs = bill(plan(scenario(1000, rejected_share=0.0001), PRICES), PRICES)

    assert costs.rejections == pytest.approx(0.0952 * MONTH_SECONDS / 1000 * 0.005, rel=0.001)


@given(SCENARIOS)
def test_total_is_the_sum_of_parts_that_are_never_negative(asked: Scenario) -> None:
    """Whatever is asked, nothing is paid back, and nothing is left out."""
    costs = bill(plan(asked, PRICES), PRICES)
    parts = dict(costs.parts())

    assert all(dollars >= 0 for dollars in parts.values())
    assert costs.total == pytest.approx(sum(parts.values()))


@given(SCENARIOS)
def test_prices_of_nothing_make_a_bill_of_nothing(asked: Scenario) -> None:
    """Every dollar comes from a price."""
    free = PRICES
    for section in (
        "kinesis",
        "on_demand",
        "on_demand_advantage",
        "functions",
        "table",
        "operation",
    ):
        names = getattr(PRICES, section).__struct_fields__
        gone = {n: 0 for n in names if n.endswith(_PRICE_NAMES)} | {
            n: ((inf, 0.0),)
            for n in names
            if isinstance(getattr(getattr(PRICES, section), n), list)
        }
        part = getattr(priced(section, **gone), section)
        free = type(PRICES)(**{**_fields(free), section: part})

    assert bill(plan(asked, free), free).total == 0


_PRICE_NAMES = ("_hour", "_million", "_gb", "_month", "_thousand")


def _fields(prices: Struct) -> dict[str, object]:
    return {name: getattr(prices, name) for name in type(prices).__struct_fields__}
