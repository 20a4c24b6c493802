"""What a plan costs a month, by part."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from capacity.plan import Plan, Stream
from capacity.prices import OnDemand, Operation, Prices, Tiers
from capacity.scenario import Architecture, Mode, Scenario

_MILLION = 1e6
_EXTENDED_FROM_HOURS, _LONG_TERM_FROM_HOURS = 24, 168


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month.

    Attributes:
        capacity: Shard-hours or stream-hours, those of fan-out too.
        put_units: PUT payload units, provisioned.
        data_in: Written, on demand.
        data_out: Read on demand, or by fan-out.
        retention: Beyond 24 hours.
        requests: Of Lambda.
        duration: Of Lambda.
        init: Cold starts.
        logs: Taken in.
        traces: Recorded.
        monitoring: Metrics, alarms, dashboard.
        rejections: PUTs to S3.
        table: DynamoDB's, for decisions: units, and what is kept.
    """

    capacity: float
    put_units: float
    data_in: float
    data_out: float
    retention: float
    requests: float
    duration: float
    init: float
    logs: float
    traces: float
    monitoring: float
    rejections: float
    table: float

    @property
    def streams(self) -> float:
        """Kinesis."""
        return self.capacity + self.put_units + self.data_in + self.data_out + self.retention

    @property
    def functions(self) -> float:
        """Lambda."""
        return self.requests + self.duration + self.init

    @property
    def operation(self) -> float:
        """Logs, traces, monitoring, rejections and the table."""
        return self.logs + self.traces + self.monitoring + self.rejections + self.table

    @property
    def total(self) -> float:
        """All of it."""
        return self.streams + self.functions + self.operation

    def parts(self) -> Iterator[tuple[str, float]]:
        """Each part with its name."""
        for part in fields(self):
            yield part.name, getattr(self, part.name)


def bill(plan: Plan, prices: Prices) -> Bill:
    """Work out what a plan costs."""
    return Bill(
        **_streams(plan, prices),
        **_functions(plan, prices),
        **_operation(plan, prices),
        table=_table(plan, prices),
    )


def tiered(units: float, tiers: Tiers) -> float:
    """The price of units of which so many are at one price, the next at the next."""
    price = 0.0
    for size, each in tiers:
        here = min(units, size)
        price += here * each
        units -= here
    return price


def _streams(plan: Plan, prices: Prices) -> dict[str, float]:
    scenario, streams = plan.scenario, plan.streams
    if scenario.mode is Mode.PROVISIONED:
        return _provisioned(streams, scenario, prices)
    advantage = scenario.mode is Mode.ADVANTAGE
    on_demand = prices.on_demand_advantage if advantage else prices.on_demand
    return _on_demand(streams, scenario, on_demand, prices)


def _provisioned(streams: list[Stream], scenario: Scenario, prices: Prices) -> dict[str, float]:
    kinesis = prices.kinesis
    hours = sum(stream.shards for stream in streams) * scenario.hours
    units = sum(stream.flow.put_units(kinesis.put_unit_bytes) for stream in streams)
    fans = [s for s in streams if scenario.fan_out]
    fan_hours = sum(stream.shards * stream.consumers for stream in fans) * scenario.hours
    extended = scenario.retention_hours > _EXTENDED_FROM_HOURS
    return {
        "capacity": hours * kinesis.shard_hour + fan_hours * kinesis.fan_out_shard_hour,
        "put_units": units * _seconds(scenario) / _MILLION * kinesis.put_units_million,
        "data_in": 0.0,
        "data_out": _gb_a_month(_read(fans), scenario, prices) * kinesis.fan_out_gb,
        "retention": hours * kinesis.extended_shard_hour * extended
        + _long_term(streams, scenario, prices),
    }


def _on_demand(
    streams: list[Stream], scenario: Scenario, price: OnDemand, prices: Prices
) -> dict[str, float]:
    rounding = prices.kinesis.rounding_bytes
    written = sum(stream.flow.rounded_bytes(rounding) for stream in streams)
    out_gb = price.fan_out_gb if scenario.fan_out else price.out_gb
    kept = min(scenario.retention_hours, _LONG_TERM_FROM_HOURS) - _EXTENDED_FROM_HOURS
    return {
        "capacity": len(streams) * scenario.hours * price.stream_hour,
        "put_units": 0.0,
        "data_in": _gb_a_month(max(written, price.least_bytes), scenario, prices) * price.in_gb,
        "data_out": _gb_a_month(max(_read(streams), price.least_bytes), scenario, prices) * out_gb,
        "retention": _kept_gb(streams, kept, prices) * price.extended_gb_month
        + _long_term(streams, scenario, prices),
    }


def _read(streams: list[Stream]) -> float:
    """Bytes a second that all consumers read."""
    return sum(stream.flow.bytes * stream.consumers for stream in streams)


def _long_term(streams: list[Stream], scenario: Scenario, prices: Prices) -> float:
    hours = scenario.retention_hours - _LONG_TERM_FROM_HOURS
    return _kept_gb(streams, hours, prices) * prices.kinesis.long_term_gb_month


def _kept_gb(streams: list[Stream], hours: float, prices: Prices) -> float:
    """GB that are there at any time of what came in some hours."""
    kept = sum(stream.flow.bytes for stream in streams) * max(0.0, hours) * 3600
    return kept / prices.kinesis.gigabyte_bytes


def _functions(plan: Plan, prices: Prices) -> dict[str, float]:
    scenario, price = plan.scenario, prices.functions
    arm = scenario.architecture is Architecture.ARM
    tiers = price.arm_gb_seconds if arm else price.x86_gb_seconds
    gb = scenario.memory_mb / 1024
    run = plan.all_concurrency * _seconds(scenario) * gb
    # At least one environment of each function is there, and each is replaced now and then.
    environments = max(plan.concurrency, scenario.predictors)
    environments += max(plan.decisions.concurrency, 1) if plan.decisions else 0
    starts = environments * scenario.hours / price.environment_hours
    init = starts * scenario.init_seconds * gb * price.init_billed
    duration = tiered(run, tiers)
    return {
        "requests": _invocations(plan) * _seconds(scenario) / _MILLION * price.requests_million,
        "duration": duration,
        "init": tiered(run + init, tiers) - duration,
    }


def _operation(plan: Plan, prices: Prices) -> dict[str, float]:
    scenario, price = plan.scenario, prices.operation
    logged = _gb_a_month(_invocations(plan) * scenario.log_bytes, scenario, prices)
    traces = _traces(plan.invocations, scenario.predictors, price)
    traces += _traces(plan.decisions.invocations, 1, price) if plan.decisions else 0
    rejecting = 1 - (1 - scenario.rejected_share) ** plan.batch.rides
    puts = plan.invocations * rejecting * _seconds(scenario)
    return {
        "logs": tiered(logged, price.log_gb),
        "traces": traces * _seconds(scenario) / _MILLION * price.traces_million,
        "monitoring": price.metrics * scenario.predictors * price.metric_month
        + price.alarms * price.alarm_month
        + price.dashboards * price.dashboard_month
        + (_monitoring_of_decisions(price) if plan.decisions else 0),
        "rejections": puts / 1000 * price.puts_thousand,
    }


def _traces(invocations: float, functions: int, price: Operation) -> float:
    """A second: the first of each function, and a share of the others."""
    first = min(invocations, price.traces_first * functions)
    return first + (invocations - first) * price.traces_share


def _monitoring_of_decisions(price: Operation) -> float:
    return (
        price.decision_metrics * price.metric_month
        + price.decision_alarms * price.alarm_month
        + price.decision_dashboards * price.dashboard_month
    )


def _table(plan: Plan, prices: Prices) -> float:
    if plan.decisions is None:
        return 0.0
    price, made = prices.table, plan.decisions
    each = made.write_units * price.write_units_million + made.read_units * price.read_units_million
    kept = made.kept_bytes / prices.kinesis.gigabyte_bytes * price.gb_month
    return each * _seconds(plan.scenario) / _MILLION + kept


def _invocations(plan: Plan) -> float:
    """A second, of all functions."""
    return plan.invocations + (plan.decisions.invocations if plan.decisions else 0)


def _gb_a_month(bytes_per_second: float, scenario: Scenario, prices: Prices) -> float:
    return bytes_per_second * _seconds(scenario) / prices.kinesis.gigabyte_bytes


def _seconds(scenario: Scenario) -> float:
    """Of a month."""
    return scenario.hours * 3600
