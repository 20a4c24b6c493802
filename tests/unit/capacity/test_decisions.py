"""What decisions need and cost, compared with the decision function and with its page."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.decision_costs import VALUES, Table, batches
from capacity.bill import bill
from capacity.plan import Plan, case_bytes, decision_bytes, plan
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, kinesis_event
from tests.clock import ManualClock
from tests.conftest import PROJECT
from tests.unit.capacity.scenarios import PRICES, priced, scenario
from tests.unit.decision_service.faults import InTurn
from tests.unit.decision_service.world import World

RIDES = range(100_000, 100_020)


class CountedDynamo:
    """A fake of DynamoDB that counts its units, as the benchmark's stub does."""

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
    """Decide on rides, each prediction in its own batch; return units and bytes, and the stream."""
    dynamo = CountedDynamo()
    needed = [f"ride_{name}" for name in VALUES[:predictors]]
    world = World(needed=needed, store=InTurn(dynamo))
    world.clock.now = 1.7e9 + 0.123456
    for batch in batches(RIDES, predictors, together=False):
        event = kinesis_event(batch, stream="ride_predictions")
        world.service.handle(event, Deadline(60, clock=ManualClock()))
    assert len(world.kinesis.records) == len(RIDES)
    return dynamo.table.counts, world.kinesis


def needs(rides_per_second: float = 1000, **settings: Any) -> Plan:
    return plan(scenario(rides_per_second, **settings), PRICES)


@pytest.mark.parametrize("predictors", range(2, len(VALUES) + 1))
def test_units_and_bytes_are_those_that_the_decision_function_uses(predictors: int) -> None:
    """Write and read units of a ride are exact; sizes of cases and decisions are within 5 %."""
    counts, kinesis = decided(predictors)
    table, decided_bytes = needs(1, predictors=predictors).table, PRICES.decisions
    writes = (counts["write units"] + counts["index units"]) / len(RIDES)
    largest = max(len(record["Data"]) for record in kinesis.records)
    case = case_bytes(predictors, PRICES) + decided_bytes.case_decision_bytes

    assert table is not None
    assert (table.write_units, table.read_units) == (writes, counts["read units"] / len(RIDES))
    assert case == pytest.approx(counts["case bytes"], rel=0.05)
    event = decision_bytes(scenario(predictors=predictors), PRICES)
    assert event == pytest.approx(largest, rel=0.05)


@pytest.mark.parametrize("settings", [{"predictors": 1}, {"predictors": 2, "decisions": False}])
def test_stack_without_a_second_predictor_has_no_decisions(settings: dict[str, Any]) -> None:
    """Decisions need two predictors, and `--no-decisions` leaves them out."""
    needed = needs(**settings)

    assert [stream.name for stream in needed.streams] == ["input", "output"]
    assert bill(needed, PRICES).parts["table"] == 0


def test_decision_function_is_one_more_consumer_of_the_predictions() -> None:
    """The stream of decisions has only the other consumers."""
    streams = needs(predictors=2, output_consumers=3).streams

    assert [(stream.name, stream.consumers) for stream in streams] == [
        ("input", 2),
        ("output", 4),
        ("decision", 3),
    ]


def test_decisions_cost_what_their_page_says_per_million_rides() -> None:
    """The rows of the table in docs/decisions.md are units, storage and CPU of the bill."""
    page = (PROJECT / "docs/decisions.md").read_text().split("## What a million rides cost")[1]
    cells = re.findall(r"\| \**([\d.]+)\** *\|$", page, re.MULTILINE)
    *of_table, of_lambda, total = map(float, cells)
    decides, plain = (
        bill(needs(predictors=2, decisions=decisions), PRICES) for decisions in (True, False)
    )
    millions = 1000 * PRICES.month_seconds / 1e6
    functions = sum(decides.functions.values()) - sum(plain.functions.values())

    assert decides.parts["table"] / millions == pytest.approx(sum(of_table), abs=0.03)
    assert functions / millions == pytest.approx(of_lambda, abs=0.02)
    assert total == pytest.approx(sum(of_table) + of_lambda, abs=0.01)


def test_decision_takes_a_core_for_each_write_and_waits_for_each_group_of_cases() -> None:
    """A batch of 1,000 predictions is 500 rides with three writes each, in two groups."""
    prices = priced(predictions__invocation_ms=0, decisions__write_us=1000)
    asked = scenario(predictors=2, memory_mb=1769, window_seconds=300)
    function = plan(asked, prices).functions[1]

    assert function.events == 1000
    assert function.seconds == pytest.approx(500 * 3 / 1000 + 2 * (3 * 5 + 15) / 1000)


def test_decision_waits_for_at_most_ten_predictions() -> None:
    """More predictors do not make cases larger."""
    assert needs(predictors=12).table == needs(predictors=10).table
