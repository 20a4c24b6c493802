"""What a plan costs a month, and where one capacity mode becomes cheaper than another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from capacity.flows import Stream
from capacity.plan import Plan, plan
from capacity.prices import Prices, Tiers
from capacity.scenario import Mode, Scenario

MAX_RATE = 1e6
MAX_PEAK = 1000.0
_MILLION = 1e6
_FREE_RETENTION_HOURS, _EXTENDED_RETENTION_HOURS = 24, 168
_PRECISION = 1.001

# US dollars a month by part.
type Parts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month, by part."""

    streams: Parts
    functions: Parts
    rest: Parts

    @property
    def parts(self) -> Parts:
        """All parts."""
        return {**self.streams, **self.functions, **self.rest}

    @property
    def total(self) -> float:
        """Sum of all parts."""
        return sum(self.parts.values())


def bill(needed: Plan, prices: Prices) -> Bill:
    """Work out what a plan costs."""
    provisioned = needed.scenario.mode is Mode.PROVISIONED
    return Bill(
        streams=_provisioned(needed, prices) if provisioned else _on_demand(needed, prices),
        functions=_functions(needed, prices),
        rest=_rest(needed, prices),
    )


def tiered(units: float, tiers: Tiers) -> float:
    """Return the price of a number of units."""
    ends = [*(start for start, _ in tiers[1:]), inf]
    return sum(
        max(0.0, min(units, end) - start) * price
        for (start, price), end in zip(tiers, ends, strict=True)
    )


def _provisioned(needed: Plan, prices: Prices) -> Parts:
    price, hours = prices.kinesis, prices.limits.month_hours
    shard_hours = sum(stream.shards for stream in needed.streams) * hours
    units = sum(stream.flow.units(prices.limits.put_unit_bytes) for stream in needed.streams)
    fans = needed.streams if needed.scenario.fan_out else []
    fan_hours = sum(stream.shards * stream.consumers for stream in fans) * hours
    extended = needed.scenario.retention_hours > _FREE_RETENTION_HOURS
    return {
        "shards": shard_hours * price.shard_hour,
        "put units": units * prices.month_seconds / _MILLION * price.put_units_million,
        "fan-out": fan_hours * price.fan_out_shard_hour
        + _gb_a_month(_bytes_read(fans), prices) * price.fan_out_gb,
        "retention": shard_hours * price.extended_shard_hour * extended
        + _long_term_retention(needed, prices),
    }


def _on_demand(needed: Plan, prices: Prices) -> Parts:
    scenario, rounding = needed.scenario, prices.limits.rounding_bytes
    advantage = scenario.mode is Mode.ADVANTAGE
    price = prices.on_demand_advantage if advantage else prices.on_demand
    written = sum(stream.flow.units(rounding) for stream in needed.streams) * rounding
    read = _bytes_read(needed.streams)
    out_gb = price.fan_out_gb if scenario.fan_out else price.out_gb
    kept_hours = min(scenario.retention_hours, _EXTENDED_RETENTION_HOURS) - _FREE_RETENTION_HOURS
    return {
        "streams": len(needed.streams) * prices.limits.month_hours * price.stream_hour,
        "data in": _gb_a_month(max(written, price.least_bytes), prices) * price.in_gb,
        "data out": _gb_a_month(max(read, price.least_bytes), prices) * out_gb,
        "retention": _kept_gb(needed, kept_hours, prices) * price.extended_gb_month
        + _long_term_retention(needed, prices),
    }


def _bytes_read(streams: Sequence[Stream]) -> float:
    """Return the bytes a second that all consumers read."""
    return sum(stream.flow.bytes * stream.consumers for stream in streams)


def _long_term_retention(needed: Plan, prices: Prices) -> float:
    hours = max(0, needed.scenario.retention_hours - _EXTENDED_RETENTION_HOURS)
    return _kept_gb(needed, hours, prices) * prices.kinesis.long_term_gb_month


def _kept_gb(needed: Plan, hours: float, prices: Prices) -> float:
    """Return the GB that arrive in a number of hours."""
    written = sum(stream.flow.bytes for stream in needed.streams)
    return written * hours * 3600 / prices.limits.gigabyte_bytes


def _functions(needed: Plan, prices: Prices) -> Parts:
    requests = needed.invocations * prices.month_seconds
    gb_seconds = needed.concurrency * prices.month_seconds * needed.scenario.memory_mb / 1024
    return {
        "requests": requests / _MILLION * prices.functions.requests_million,
        "duration": tiered(gb_seconds, prices.tiers["gb_seconds"]),
    }


def _rest(needed: Plan, prices: Prices) -> Parts:
    price, seconds = prices.functions, prices.month_seconds
    logged = _gb_a_month(needed.invocations * price.log_bytes, prices)
    rejecting = 1 - (1 - price.rejected_share) ** needed.batch.rides
    puts = needed.functions[0].invocations * rejecting * seconds
    return {
        "logs": tiered(logged, prices.tiers["log_gb"]),
        "traces": _traces(needed, prices) * seconds / _MILLION * price.traces_million,
        "monitoring": _monitoring(needed, prices),
        "rejections": puts / 1000 * price.puts_thousand,
        "table": _table(needed, prices),
    }


def _traces(needed: Plan, prices: Prices) -> float:
    """Return traces a second: the first of each function, and a share of the others."""
    price, traces = prices.functions, 0.0
    for function in needed.functions:
        first = min(function.invocations, price.traces_first * function.copies)
        traces += first + (function.invocations - first) * price.traces_share
    return traces


def _monitoring(needed: Plan, prices: Prices) -> float:
    price, decides = prices.monitoring, needed.table is not None
    metrics = price.metrics * needed.scenario.predictors + price.decision_metrics * decides
    watched = price.alarm_metrics + price.predictor_alarm_metrics * needed.scenario.predictors
    watched += price.decision_alarm_metrics * decides
    dashboards = price.dashboards + price.decision_dashboards * decides
    return (
        metrics * price.metric_month
        + watched * price.alarm_month
        + dashboards * price.dashboard_month
    )


def _table(needed: Plan, prices: Prices) -> float:
    if needed.table is None:
        return 0.0
    price, use = prices.decisions, needed.table
    units = use.write_units * price.write_units_million + use.read_units * price.read_units_million
    stored = use.stored_bytes / prices.limits.gigabyte_bytes * price.gb_month
    return units * prices.month_seconds / _MILLION + stored


def _gb_a_month(bytes_per_second: float, prices: Prices) -> float:
    return bytes_per_second * prices.month_seconds / prices.limits.gigabyte_bytes


def total(scenario: Scenario, prices: Prices, **changes: Any) -> float:
    """Return the US dollars a month of a scenario with some settings changed."""
    return bill(plan(replace(scenario, **changes), prices), prices).total


def on_demand_peak(scenario: Scenario, prices: Prices) -> float | None:
    """Return the peak factor from which an on-demand mode is cheaper, up to `MAX_PEAK`."""

    def on_demand_is_cheaper(peak: float) -> bool:
        provisioned, *others = (
            total(scenario, prices, mode=mode, peak_factor=peak) for mode in Mode
        )
        return min(others) < provisioned

    return _first(on_demand_is_cheaper, 1.0, MAX_PEAK)


def advantage_rate(scenario: Scenario, prices: Prices) -> float | None:
    """Return the rate from which On-demand Advantage beats Standard, up to `MAX_RATE`."""

    def advantage_is_cheaper(rate: float) -> bool:
        advantage, standard = (
            total(scenario, prices, mode=mode, rides_per_second=rate)
            for mode in (Mode.ADVANTAGE, Mode.ON_DEMAND)
        )
        return advantage < standard

    return _first(advantage_is_cheaper, 1.0, MAX_RATE)


def _first(holds: Callable[[float], bool], low: float, high: float) -> float | None:
    """Return the number from which a condition holds, to a thousandth, by bisection."""
    if holds(low):
        return low
    if not holds(high):
        return None
    while high / low > _PRECISION:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
