"""Quotas of AWS, limits of the template, and functions that cannot keep up."""

from collections.abc import Iterator
from dataclasses import dataclass

from capacity.flows import busiest_shard, fullness
from capacity.plan import Plan
from capacity.prices import Prices
from capacity.scenario import Mode


@dataclass(frozen=True, slots=True)
class Quota:
    """A value that has a maximum, and what to do when it is higher."""

    name: str
    value: float
    maximum: float
    advice: str

    def __str__(self) -> str:
        return (
            f"{self.name}: {_written(self.value)}; maximum {_written(self.maximum)}. {self.advice}"
        )


def exceeded(needed: Plan, prices: Prices) -> list[Quota]:
    """Return the quotas that a plan exceeds."""
    return [quota for quota in _quotas(needed, prices) if quota.value > quota.maximum]


def _quotas(needed: Plan, prices: Prices) -> Iterator[Quota]:
    yield from _functions(needed, prices)
    yield from _consumers(needed, prices)
    yield from _packed(needed, prices)
    if needed.scenario.mode is Mode.PROVISIONED:
        yield from _provisioned(needed, prices)
    else:
        yield from _on_demand(needed, prices)


def _functions(needed: Plan, prices: Prices) -> Iterator[Quota]:
    scenario, limits = needed.scenario, prices.limits
    peak = needed.concurrency * scenario.peak_factor
    account = limits.concurrency
    yield Quota("concurrent executions at the peak", peak, account, "Ask AWS for more")
    yield Quota("concurrent executions to catch up", needed.lanes, account, "Ask AWS for more")
    used_mb = needed.batch.memory_mb
    yield Quota("MB of memory", used_mb, scenario.memory_mb, "Raise --memory-mb")
    for function in needed.functions:
        busy = function.concurrency * scenario.peak_factor / function.lanes
        yield Quota(
            f"{function.name}, seconds of a batch",
            function.seconds,
            limits.timeout_seconds,
            "Lower --batch-size",
        )
        yield Quota(
            f"{function.name} falls behind, batches a lane",
            busy,
            1,
            "Raise --parallelization or --memory-mb",
        )


def _consumers(needed: Plan, prices: Prices) -> Iterator[Quota]:
    reads = prices.limits.shard_reads * prices.limits.poll_seconds
    for stream in needed.streams:
        name, size = f"{stream.name} stream", stream.flow.data_bytes
        if not needed.scenario.fan_out:
            yield Quota(f"consumers of the {name}", stream.consumers, reads, "Use --fan-out")
        yield Quota(
            f"bytes of a record of the {name}",
            size,
            prices.limits.record_bytes,
            "Put smaller records",
        )


def _packed(needed: Plan, prices: Prices) -> Iterator[Quota]:
    if not needed.scenario.aggregate_predictions:
        return
    rides, output, *_ = needed.streams
    mean = fullness(output.flow, prices) * needed.scenario.peak_factor / output.shards
    load = mean * busiest_shard(rides.shards, output.shards)
    yield Quota(
        "load of the busiest output shard",
        load,
        1,
        "Lower --fill: packed predictions have few partition keys",
    )


def _provisioned(needed: Plan, prices: Prices) -> Iterator[Quota]:
    shards = [stream.shards for stream in needed.streams]
    yield Quota("shards", sum(shards), prices.limits.account_shards, "Ask AWS for more")
    yield Quota(
        "shards of a stream",
        max(shards),
        prices.limits.template_shards,
        "Raise the maximum of ShardCount in template.yaml",
    )


def _on_demand(needed: Plan, prices: Prices) -> Iterator[Quota]:
    limits, peak = prices.limits, needed.scenario.peak_factor
    written = max(stream.flow.bytes for stream in needed.streams) * peak
    shards = max(stream.shards for stream in needed.streams)
    ready = limits.on_demand_shards * limits.on_demand_room
    yield Quota("bytes/s of a stream", written, limits.on_demand_bytes, "Use --mode provisioned")
    yield Quota(
        "shards of a stream",
        shards,
        ready,
        "Raise the rate of a new on-demand stream to at most double every 15 minutes",
    )


def _written(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
