"""What decisions need and cost: held against the decision function itself, and its page."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.decision_costs import VALUES, Table, batches
from capacity.bill import bill
from capacity.decision_load import case_bytes, decision_bytes, write_units
from capacity.plan import plan
from capacity.quotas import crossed
from decision_service.settings import Settings
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, kinesis_event
from tests.clock import ManualClock
from tests.conftest import PROJECT
from tests.sam_transform import source
from tests.unit.capacity.scenarios import PRICES, scenario
from tests.unit.decision_service.faults import InTurn
from tests.unit.decision_service.world import World

MONTH_SECONDS = 730 * 3600
RIDES = range(100_000, 100_020)


class CountedDynamo:
    """DynamoDB that counts its units, as the benchmark's stub does."""

    exceptions: Any = SimpleNamespace(ConditionalCheckFailedException=LookupError)

    def __init__(self) -> None:
        self.table = Table()

    def put_item(self, **request: Any) -> Any:
        return self.table.answer("PutItem", request)

    def batch_get_item(self, **request: Any) -> Any:
        return self.table.answer("BatchGetItem", request)

    def get_paginator(self, operation: str) -> Any:
        pytest.fail(f"{operation} reads units that are not counted here")


def decided(predictors: int) -> tuple[dict[str, int], FakeKinesis]:
    """Units and bytes of so many rides, each prediction in a batch of its own; and decisions."""
    dynamo = CountedDynamo()
    needed = [f"ride_{name}" for name in VALUES[:predictors]]
    world = World(needed=needed, store=InTurn(dynamo))
    world.clock.now = 1.7e9 + 0.123456
    for batch in batches(RIDES, predictors, together=False):
        event = kinesis_event(batch, stream="ride_predictions")
        world.service.handle(event, Deadline(60, clock=ManualClock()))
    assert len(world.kinesis.records) == len(RIDES)
    return dynamo.table.counts, world.kinesis


@pytest.mark.parametrize("predictors", range(2, len(VALUES) + 1))
def test_units_of_a_ride_are_those_that_the_decision_function_uses(predictors: int) -> None:
    """Writes of the table and of its index, and reads; a larger item takes more units a write."""
    counts, _ = decided(predictors)
    asked = scenario(predictors=predictors)

    found = (counts["write units"] + counts["index units"]) / len(RIDES)
    assert write_units(predictors, asked, PRICES.table) == found
    without_rides = plan(scenario(0.001, predictors=predictors), PRICES).decisions
    with_rides = plan(scenario(1.001, predictors=predictors), PRICES).decisions
    assert with_rides is not None
    assert without_rides is not None
    reads = with_rides.read_units - without_rides.read_units
    assert reads == pytest.approx(counts["read units"] / len(RIDES))


@pytest.mark.parametrize("predictors", range(2, len(VALUES) + 1))
def test_bytes_of_cases_and_decisions_are_those_that_the_decision_function_makes(
    predictors: int,
) -> None:
    """Within a twentieth."""
    counts, kinesis = decided(predictors)
    asked = scenario(predictors=predictors)

    largest = max(len(record["Data"]) for record in kinesis.records)
    assert case_bytes(predictors, asked, decided=True) == pytest.approx(
        counts["case bytes"], rel=0.05
    )
    assert decision_bytes(asked) == pytest.approx(largest, rel=0.05)


@pytest.mark.parametrize("changes", [{"predictors": 1}, {"predictors": 2, "decides": False}])
def test_decisions_are_left_out_of_a_stack_that_has_none(changes: dict[str, Any]) -> None:
    """Without a second predictor there are none, and a user may do without."""
    needed = plan(scenario(1000, **changes), PRICES)

    assert needed.decisions is None
    assert [stream.name for stream in needed.streams] == ["input", "output"]
    assert bill(needed, PRICES).table == 0


def test_decision_function_is_one_more_reader_of_the_predictions() -> None:
    """Its own stream is read by as many as that of predictions is besides."""
    needed = plan(scenario(1000, predictors=2, output_consumers=3), PRICES)

    assert [(stream.name, stream.consumers) for stream in needed.streams] == [
        ("input", 2),
        ("output", 4),
        ("decision", 3),
    ]


def test_decisions_cost_what_their_page_says_a_million_rides() -> None:
    """The rows of the table in docs/decisions.md: writes, those of the index, reads, a CPU."""
    page = (PROJECT / "docs/decisions.md").read_text().split("## What a million rides cost")[1]
    cells = re.findall(r"\| \**([\d.]+)\** *\|$", page, re.MULTILINE)
    *of_table, of_lambda, total = map(float, cells)
    asked, without = (scenario(1000, predictors=2, decides=each) for each in (True, False))
    costs, plain = (bill(plan(each, PRICES), PRICES) for each in (asked, without))
    millions = asked.rides_a_month / 1e6

    assert costs.table / millions == pytest.approx(sum(of_table), abs=0.03)
    assert (costs.functions - plain.functions) / millions == pytest.approx(of_lambda, abs=0.02)
    assert total == pytest.approx(sum(of_table) + of_lambda, abs=0.01)


def test_sweeps_go_on_without_rides() -> None:
    """One a minute, with a query of each part of the index: cents a month."""
    needed = plan(scenario(0.001, predictors=2), PRICES)

    assert needed.decisions is not None
    assert needed.decisions.sweeps == pytest.approx(1 / 60)
    assert 0.04 < bill(needed, PRICES).table < 0.06


def test_decision_takes_a_core_for_each_write() -> None:
    """A batch of 1,000 predictions is 500 rides, three writes each, and waits for two groups."""
    asked = scenario(
        1000,
        predictors=2,
        memory_mb=1769,
        window_seconds=300,
        invocation_ms=0,
        write_us=1000,
        table_ms=5,
        put_ms=15,
    )
    needed = plan(asked, PRICES).decisions

    assert needed is not None
    assert needed.predictions == 1000
    assert needed.seconds == pytest.approx(500 * 3 / 1000 + 2 * (3 * 5 + 15) / 1000)


def test_decision_function_that_falls_behind_is_told_of() -> None:
    """A hundred rides a second are what one batch at a time decides on; a thousand are not."""
    few, many = (
        "\n".join(crossed(plan(scenario(rate, predictors=2), PRICES), PRICES))
        for rate in (100, 1000)
    )
    wide = "\n".join(
        crossed(plan(scenario(1000, predictors=2, parallelization=10), PRICES), PRICES)
    )

    assert few == ""
    assert "the decision function falls behind: a lane would have to run" in many
    assert wide == ""


def test_figures_of_decisions_are_those_of_the_template_and_the_settings() -> None:
    """Alarms, dashboard and schedule that come with decisions, and how long a case is kept."""
    resources = source()["Resources"]
    kinds = [
        each["Type"] for each in resources.values() if each.get("Condition") == "DecidesOnRides"
    ]
    tick = resources["DecisionFunction"]["Properties"]["Events"]["Tick"]["Properties"]
    keep_hours = Settings.from_environ({"DECISIONS_TABLE": "cases"}).keep_hours

    assert kinds.count("AWS::CloudWatch::Alarm") == PRICES.operation.decision_alarms
    assert kinds.count("AWS::CloudWatch::Dashboard") == PRICES.operation.decision_dashboards
    assert (tick["Schedule"], PRICES.table.sweep_seconds) == ("rate(1 minute)", 60)
    assert keep_hours == PRICES.table.keep_hours
