"""Plans and bills as plain text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from capacity.bill import Bill, bill
from capacity.breakeven import cheapest, peak_for_on_demand, rate_for_advantage, total
from capacity.plan import Plan, plan
from capacity.prices import Prices
from capacity.quotas import crossed
from capacity.scenario import Mode, Scenario

RATES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)

_TABLE = (
    *("RIDES/S", "IN", "OUT", "INVOKED/S", "RIDES EACH", "MS", "RUNNING", "PUT UNITS/S"),
    *("STREAMS $", "LAMBDA $", "REST $", "TOTAL $", "$/MILLION"),
)
# How much is aggregated: title, rides and predictions a record.
AGGREGATIONS = (("none", 1, 1), ("predictions", 1, 150), ("both", 100, 150))


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
    yield from _columns([_TABLE, *(_row(each, prices) for each in plans)])
    for each in plans:
        yield from _warnings(each, prices, f"{_count(each.scenario.rides_per_second)} rides/s: ")


def comparison(scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES) -> Iterator[str]:
    """Dollars a month of every mode and aggregation at each rate, the least of a line marked."""
    rows: list[Sequence[str]] = [
        ["", *(mode for mode in Mode for _ in AGGREGATIONS)],
        ["RIDES/S", *(title for _ in Mode for title, *_ in AGGREGATIONS)],
    ]
    for rate in rates:
        totals = [
            total(replace(aggregating(scenario, rate, *events), mode=mode), prices)
            for mode in Mode
            for _, *events in AGGREGATIONS
        ]
        marked = zip(cheapest(totals), totals, strict=True)
        rows.append(
            [_count(rate), *(f"{'*' if is_least else ''}{d:,.0f}" for is_least, d in marked)]
        )
    yield from _columns(rows)


def break_evens(
    scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES
) -> Iterator[str]:
    """The peak over the mean from which on an on-demand mode is cheaper, and which of the two."""
    yield "Peak over mean from which on demand is cheaper than provisioned:"
    rows: list[Sequence[str]] = [["RIDES/S", *(title for title, *_ in AGGREGATIONS)]]
    for rate in rates:
        peaks = [
            peak_for_on_demand(aggregating(scenario, rate, *events), prices)
            for _, *events in AGGREGATIONS
        ]
        rows.append(
            [_count(rate), *("never" if peak is None else f"{peak:,.1f}" for peak in peaks)]
        )
    yield from _columns(rows)
    yield ""
    yield "Rides a second from which on-demand-advantage is cheaper than on-demand:"
    for title, *events in AGGREGATIONS:
        turn = rate_for_advantage(aggregating(scenario, 1, *events), prices)
        yield f"{title:12}{'never' if turn is None else f'{turn:,.0f}':>8}"


def aggregating(scenario: Scenario, rate: float, rides: int, predictions: int) -> Scenario:
    """A scenario at another rate, with so many rides and predictions a record."""
    return replace(
        scenario,
        rides_per_second=rate,
        rides_per_record=rides,
        predictions_per_record=predictions,
    )


def _needs(needed: Plan, prices: Prices) -> Iterator[tuple[str, str]]:
    batch, scenario = needed.batch, needed.scenario
    yield "rides a second", _count(scenario.rides_per_second)
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
    yield "running at a time, mean", f"{needed.concurrency:,.2f}"
    yield "running at a time, at most", f"{needed.lanes:,}"


def _costs(costs: Bill, scenario: Scenario) -> Iterator[tuple[str, str]]:
    yield "US dollars a month", ""
    for name, dollars in costs.parts():
        yield f"  {name.replace('_', ' ')}", f"{dollars:,.2f}"
    yield "  total", f"{costs.total:,.2f}"
    yield "a million rides", f"{_per_million(costs, scenario):,.4f}"


def _row(needed: Plan, prices: Prices) -> tuple[str, ...]:
    batch, costs = needed.batch, bill(needed, prices)
    return (
        _count(needed.scenario.rides_per_second),
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


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"


def _per_million(costs: Bill, scenario: Scenario) -> float:
    return costs.total / scenario.rides_a_month * 1e6


def _warnings(needed: Plan, prices: Prices, prefix: str = "") -> Iterator[str]:
    for warning in crossed(needed, prices):
        yield f"! {prefix}{warning}"


def _aligned(lines: Iterator[tuple[str, str]]) -> Iterator[str]:
    for name, value in lines:
        yield f"{name:28}{value:>20}".rstrip()


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
