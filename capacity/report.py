"""Plans and bills as plain text: one in full, or a table of rates."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from capacity.bill import Bill, bill
from capacity.decision_load import Decisions
from capacity.plan import Plan, plan
from capacity.prices import Prices
from capacity.quotas import crossed
from capacity.scenario import Scenario
from capacity.text_columns import columns, count

RATES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)

_TABLE = (
    *("RIDES/S", "IN", "OUT", "INVOKED/S", "RIDES EACH", "MS", "RUNNING", "PUT UNITS/S"),
    *("STREAMS $", "LAMBDA $", "REST $", "TOTAL $", "$/MILLION"),
)


def shown(scenario: Scenario, prices: Prices) -> Iterator[str]:
    """One scenario in full: what it needs, what it costs, what it runs into."""
    needed = plan(scenario, prices)
    costs = bill(needed, prices)
    yield from _aligned(_needs(needed, prices))
    yield ""
    yield from _aligned(_costs(costs, scenario))
    yield from _warnings(needed, prices)


def table(scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES) -> Iterator[str]:
    """A line for each rate, and what each runs into."""
    plans = [plan(replace(scenario, rides_per_second=rate), prices) for rate in rates]
    yield from columns([_TABLE, *(_row(each, prices) for each in plans)])
    for each in plans:
        yield from _warnings(each, prices, f"{count(each.scenario.rides_per_second)} rides/s: ")


def _needs(needed: Plan, prices: Prices) -> Iterator[tuple[str, str]]:
    batch, scenario = needed.batch, needed.scenario
    yield "rides a second", count(scenario.rides_per_second)
    yield "mode", scenario.mode
    yield "input shards", f"{needed.input_shards:,}"
    yield "output shards", f"{needed.output_shards:,}"
    yield "records a second, input", f"{needed.input.records:,.1f}"
    yield "records a second, output", f"{needed.output.records:,.1f}"
    yield "PUT units a second", f"{needed.put_units(prices.kinesis.put_unit_bytes):,.1f}"
    yield "invocations a second", f"{needed.invocations:,.2f}"
    yield "records a batch", f"{batch.records:,.1f}"
    yield "rides a batch", f"{batch.rides:,.1f}"
    yield "PutRecords calls a batch", f"{batch.calls}"
    yield "duration of a batch, ms", f"{batch.seconds * 1000:,.1f}"
    yield "memory of a function, MB", f"{scenario.memory_mb:,}"
    yield "memory in use, MB, some", f"{batch.memory_mb:,.0f}"
    yield "environments needed, mean", f"{needed.concurrency:,.2f}"
    yield "environments allowed", f"{needed.lanes:,}"
    if needed.decisions is not None:
        yield from _needs_of_decisions(needed.decisions)


def _needs_of_decisions(made: Decisions) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield "decisions", ""
    yield "  shards", f"{made.shards:,}"
    yield "  invocations a second", f"{made.invocations:,.2f}"
    yield "  predictions a batch", f"{made.predictions:,.1f}"
    yield "  duration of a batch, ms", f"{made.seconds * 1000:,.1f}"
    yield "  environments needed, mean", f"{made.concurrency:,.2f}"
    yield "  environments allowed", f"{made.lanes:,}"
    yield "  write units a second", f"{made.write_units:,.1f}"
    yield "  read units a second", f"{made.read_units:,.1f}"
    yield "  GB in the table", f"{made.kept_bytes / 1e9:,.2f}"


def _costs(costs: Bill, scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield "US dollars a month", ""
    for name, dollars in costs.parts():
        yield f"  {name.replace('_', ' ')}", f"{dollars:,.2f}"
    yield "  total", f"{costs.total:,.2f}"
    yield "a million rides", f"{_per_million(costs, scenario):,.4f}"


def _row(needed: Plan, prices: Prices) -> tuple[str, ...]:
    batch, costs = needed.batch, bill(needed, prices)
    return (
        count(needed.scenario.rides_per_second),
        f"{needed.input_shards:,}",
        f"{needed.output_shards:,}",
        f"{needed.invocations:,.1f}",
        f"{batch.rides:,.0f}",
        f"{batch.seconds * 1000:,.0f}",
        f"{needed.concurrency:,.2f}",
        f"{needed.put_units(prices.kinesis.put_unit_bytes):,.0f}",
        f"{costs.streams:,.0f}",
        f"{costs.functions:,.0f}",
        f"{costs.operation:,.0f}",
        f"{costs.total:,.0f}",
        f"{_per_million(costs, needed.scenario):,.3f}",
    )


def _per_million(costs: Bill, scenario: Scenario) -> float:
    return costs.total / scenario.rides_a_month * 1e6


def _warnings(needed: Plan, prices: Prices, prefix: str = "") -> Iterator[str]:
    for warning in crossed(needed, prices):
        yield f"! {prefix}{warning}"


def _aligned(lines: Iterator[tuple[str, str]]) -> Iterator[str]:
    for name, value in lines:
        yield f"{name:28}{value:>20}".rstrip()
