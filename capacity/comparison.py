"""Modes and aggregations side by side: what each costs, and where one becomes the cheaper."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from capacity.breakeven import cheapest, peak_for_on_demand, rate_for_advantage, total
from capacity.prices import Prices
from capacity.report import RATES
from capacity.scenario import Mode, Scenario
from capacity.text_columns import columns, count

# What is aggregated: title, rides a record, whether predictions are packed.
AGGREGATIONS = (("none", 1, False), ("predictions", 1, True), ("both", 100, True))


def comparison(scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES) -> Iterator[str]:
    """Dollars a month of every mode and aggregation at each rate, the least of a line marked."""
    rows: list[Sequence[str]] = [
        ["", *(mode for mode in Mode for _ in AGGREGATIONS)],
        ["RIDES/S", *(title for _ in Mode for title, *_ in AGGREGATIONS)],
    ]
    for rate in rates:
        totals = [
            total(replace(aggregating(scenario, rate, rides, packs=packs), mode=mode), prices)
            for mode in Mode
            for _, rides, packs in AGGREGATIONS
        ]
        marked = zip(cheapest(totals), totals, strict=True)
        rows.append(
            [count(rate), *(f"{'*' if is_least else ''}{d:,.0f}" for is_least, d in marked)]
        )
    yield from columns(rows)


def break_evens(
    scenario: Scenario, prices: Prices, rates: Sequence[float] = RATES
) -> Iterator[str]:
    """The peak over the mean from which on an on-demand mode is cheaper, and which of the two."""
    yield "Peak over mean from which on demand is cheaper than provisioned:"
    rows: list[Sequence[str]] = [["RIDES/S", *(title for title, *_ in AGGREGATIONS)]]
    for rate in rates:
        peaks = [
            peak_for_on_demand(aggregating(scenario, rate, rides, packs=packs), prices)
            for _, rides, packs in AGGREGATIONS
        ]
        rows.append([count(rate), *("never" if peak is None else f"{peak:,.1f}" for peak in peaks)])
    yield from columns(rows)
    yield ""
    yield "Rides a second from which on-demand-advantage is cheaper than on-demand:"
    for title, rides, packs in AGGREGATIONS:
        turn = rate_for_advantage(aggregating(scenario, 1, rides, packs=packs), prices)
        yield f"{title:12}{'never' if turn is None else f'{turn:,.0f}':>8}"


def aggregating(scenario: Scenario, rate: float, rides: int, *, packs: bool) -> Scenario:
    """A scenario at another rate, with so many rides a record, and predictions packed or not."""
    return replace(
        scenario,
        rides_per_second=rate,
        rides_per_record=rides,
        aggregate_predictions=packs,
    )
