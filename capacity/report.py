"""Plans and bills as plain text: one rate in full, tables of rates, comparisons of modes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.bill import Bill, advantage_rate, bill, on_demand_peak, total
from capacity.plan import Plan, plan
from capacity.prices import Prices
from capacity.quotas import exceeded
from capacity.scenario import Mode, Scenario

RATES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)

_TABLE = (
    *("RIDES/S", "IN", "OUT", "INVOKED/S", "RIDES EACH", "MS", "RUNNING", "PUT UNITS/S"),
    *("STREAMS $", "LAMBDA $", "REST $", "TOTAL $", "$/MILLION"),
)

# Settings of each kind of aggregation.
_AGGREGATIONS: Mapping[str, Mapping[str, Any]] = {
    "none": {"rides_per_record": 1, "aggregate_predictions": False},
    "predictions": {"rides_per_record": 1, "aggregate_predictions": True},
    "both": {"rides_per_record": 100, "aggregate_predictions": True},
}


def one_rate(scenario: Scenario, prices: Prices) -> Iterator[str]:
    """Yield what a scenario needs, what it costs, and which quotas it exceeds."""
    needed = plan(scenario, prices)
    for name, value in (*_needs(needed, prices), *_costs(bill(needed, prices), scenario, prices)):
        yield f"{name:32}{value:>16}".rstrip()
    yield from _warnings(needed, prices)


def table(scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES) -> Iterator[str]:
    """Yield a line for each rate, then the quotas that each exceeds."""
    plans = [plan(replace(scenario, rides_per_second=rate), prices) for rate in rates]
    yield from _columns([_TABLE, *(_row(each, prices) for each in plans)])
    for each in plans:
        yield from _warnings(each, prices, f"{_count(each.scenario.rides_per_second)} rides/s: ")


def comparison(scenario: Scenario, prices: Prices) -> Iterator[str]:
    """Yield the cost of every mode and aggregation at each rate, the lowest marked."""
    rows = [
        ["", *(mode for mode in Mode for _ in _AGGREGATIONS)],
        ["RIDES/S", *(name for _ in Mode for name in _AGGREGATIONS)],
    ]
    for rate in RATES:
        totals = [
            total(scenario, prices, rides_per_second=rate, mode=mode, **settings)
            for mode in Mode
            for settings in _AGGREGATIONS.values()
        ]
        lowest = min(totals)
        rows.append([_count(rate), *("*" * (each == lowest) + f"{each:,.0f}" for each in totals)])
    yield from _columns(rows)


def break_evens(scenario: Scenario, prices: Prices) -> Iterator[str]:
    """Yield where on demand is cheaper than provisioned, and Advantage than Standard."""
    asked = [replace(scenario, **settings) for settings in _AGGREGATIONS.values()]
    rows = [["RIDES/S", *_AGGREGATIONS]]
    for rate in RATES:
        at_rate = (replace(each, rides_per_second=rate) for each in asked)
        peaks = [on_demand_peak(each, prices) for each in at_rate]
        rows.append(
            [_count(rate), *("never" if peak is None else f"{peak:,.1f}" for peak in peaks)]
        )
    yield "Peak factor from which on demand is cheaper than provisioned:"
    yield from _columns(rows)
    yield ""
    yield "Rides a second from which on-demand-advantage is cheaper than on-demand:"
    rates = [advantage_rate(each, prices) for each in asked]
    yield from _columns(
        [list(_AGGREGATIONS), ["never" if rate is None else f"{rate:,.0f}" for rate in rates]]
    )


def _needs(needed: Plan, prices: Prices) -> Iterator[tuple[str, str]]:
    batch, scenario = needed.batch, needed.scenario
    yield "rides a second", _count(scenario.rides_per_second)
    yield "mode", scenario.mode
    for stream in needed.streams:
        yield f"{stream.name} shards", f"{stream.shards:,}"
        yield f"{stream.name} records a second", f"{stream.flow.records:,.1f}"
    yield "PUT units a second", f"{_put_units(needed, prices):,.1f}"
    yield "records a batch", f"{batch.records:,.1f}"
    yield "PutRecords calls a batch", f"{batch.calls}"
    yield "memory in use, MB", f"{batch.memory_mb:,.0f} of {scenario.memory_mb:,}"
    for function in needed.functions:
        yield "", ""
        yield function.name, ""
        yield "  events a batch", f"{function.events:,.1f}"
        yield "  duration of a batch, ms", f"{function.seconds * 1000:,.1f}"
        yield "  invocations a second", f"{function.invocations:,.2f}"
        yield "  concurrency needed", f"{function.concurrency:,.2f}"
        yield "  concurrency allowed", f"{function.lanes:,}"
    if needed.table is not None:
        yield "  write units a second", f"{needed.table.write_units:,.1f}"
        yield "  read units a second", f"{needed.table.read_units:,.1f}"
        yield "  GB in the table", f"{needed.table.stored_bytes / 1e9:,.2f}"


def _costs(costs: Bill, scenario: Scenario, prices: Prices) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield "US dollars a month", ""
    for name, dollars in costs.parts.items():
        yield f"  {name}", f"{dollars:,.2f}"
    yield "  total", f"{costs.total:,.2f}"
    yield "US dollars a million rides", f"{_per_million(costs, scenario, prices):,.4f}"


def _row(needed: Plan, prices: Prices) -> tuple[str, ...]:
    scenario, batch, costs = needed.scenario, needed.batch, bill(needed, prices)
    rides, predictions, *_ = needed.streams
    predictor = needed.functions[0]
    return (
        _count(scenario.rides_per_second),
        f"{rides.shards:,}",
        f"{predictions.shards:,}",
        f"{predictor.invocations:,.1f}",
        f"{batch.rides:,.0f}",
        f"{batch.seconds * 1000:,.0f}",
        f"{predictor.concurrency:,.2f}",
        f"{_put_units(needed, prices):,.0f}",
        *(f"{sum(part.values()):,.0f}" for part in (costs.streams, costs.functions, costs.rest)),
        f"{costs.total:,.0f}",
        f"{_per_million(costs, scenario, prices):,.3f}",
    )


def _put_units(needed: Plan, prices: Prices) -> float:
    """Return the PUT payload units a second of all streams."""
    return sum(stream.flow.units(prices.limits.put_unit_bytes) for stream in needed.streams)


def _per_million(costs: Bill, scenario: Scenario, prices: Prices) -> float:
    return costs.total / (scenario.rides_per_second * prices.month_seconds) * 1e6


def _warnings(needed: Plan, prices: Prices, prefix: str = "") -> Iterator[str]:
    for quota in exceeded(needed, prices):
        yield f"! {prefix}{quota}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines, with each column aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"
