"""What a plan runs into: quotas of AWS, limits of the template, functions that fall behind."""

from collections.abc import Iterator

from capacity.packing import busiest_shard
from capacity.plan import Plan
from capacity.prices import Prices
from capacity.scenario import Mode

# Of template.yaml's parameter ShardCount.
TEMPLATE_SHARDS = 200


def crossed(plan: Plan, prices: Prices) -> Iterator[str]:
    """A line for each limit that the plan is over, with the limit and what to do."""
    yield from _functions(plan, prices)
    yield from _decisions(plan, prices)
    yield from _consumers(plan, prices)
    yield from _records(plan, prices)
    yield from _busiest(plan, prices)
    if plan.scenario.mode is Mode.PROVISIONED:
        yield from _shards(plan, prices)
    else:
        yield from _on_demand(plan, prices)


def _functions(plan: Plan, prices: Prices) -> Iterator[str]:
    limits, scenario = prices.functions, plan.scenario
    quota = limits.concurrency
    peak = plan.all_concurrency * scenario.peak_factor
    if peak > quota:
        yield (
            f"{peak:,.0f} concurrent executions at the peak: an account has {quota:,.0f}; ask for "
            "more"
        )
    elif plan.all_lanes > quota:
        yield (
            f"up to {plan.all_lanes:,} concurrent executions when the functions catch up: an "
            f"account has {quota:,.0f}; ask for more, or reserve some"
        )
    if plan.batch.seconds > limits.timeout_seconds:
        yield (
            f"a batch takes {plan.batch.seconds:,.0f} s: the timeout is "
            f"{limits.timeout_seconds:.0f} s; lower --batch-size"
        )
    if plan.batch.memory_mb > scenario.memory_mb:
        yield (
            f"a batch needs some {plan.batch.memory_mb:,.0f} MB: a function has "
            f"{scenario.memory_mb:,}; raise --memory-mb, or lower --batch-size"
        )
    busy = plan.concurrency * scenario.peak_factor / plan.lanes
    if busy > 1:
        yield (
            f"the functions fall behind: a lane would have to run {busy:.1f} batches at a time; "
            "raise --parallelization, --memory-mb or --batch-size"
        )


def _decisions(plan: Plan, prices: Prices) -> Iterator[str]:
    made, limits = plan.decisions, prices.functions
    if made is None:
        return
    if made.seconds > limits.timeout_seconds:
        yield (
            f"a batch of the decision function takes {made.seconds:,.0f} s: the timeout is "
            f"{limits.timeout_seconds:.0f} s; lower --batch-size"
        )
    busy = made.batches * made.seconds * plan.scenario.peak_factor / made.lanes
    if busy > 1:
        yield (
            f"the decision function falls behind: a lane would have to run {busy:.1f} batches at a "
            "time; raise --parallelization or --memory-mb, lower --fill, or decide on fewer rides"
        )


def _consumers(plan: Plan, prices: Prices) -> Iterator[str]:
    if plan.scenario.fan_out:
        return
    most = prices.kinesis.shard_reads * prices.functions.poll_seconds
    for stream in plan.streams:
        if stream.consumers > most:
            yield (
                f"{stream.consumers} consumers of the {stream.name} stream: a shard takes "
                f"{prices.kinesis.shard_reads:.0f} reads a second; use --fan-out"
            )


def _records(plan: Plan, prices: Prices) -> Iterator[str]:
    for stream, flow, option in (
        ("input", plan.input, "--rides-per-record"),
        ("output", plan.output, "--prediction-bytes"),
    ):
        if flow.data_bytes > prices.kinesis.record_bytes:
            yield (
                f"a record of the {stream} stream has {flow.data_bytes:,.0f} bytes: it may have "
                f"{prices.kinesis.record_bytes:,.0f}; lower {option}"
            )


def _busiest(plan: Plan, prices: Prices) -> Iterator[str]:
    if not plan.scenario.aggregate_predictions:
        return
    limits, flow = prices.kinesis, plan.output
    full = max(flow.records / limits.shard_records, flow.bytes / limits.shard_bytes)
    times = busiest_shard(plan.input_shards, plan.output_shards)
    busiest = full * plan.scenario.peak_factor / plan.output_shards * times
    if busiest > 1:
        yield (
            f"some {busiest:.1f} times what a shard takes, on the busiest one of the output "
            "stream: packed predictions have few partition keys; lower --fill"
        )


def _shards(plan: Plan, prices: Prices) -> Iterator[str]:
    limits = prices.kinesis
    each = [stream.shards for stream in plan.streams]
    total, larger = sum(each), max(each)
    if total > limits.shards:
        yield f"{total:,} shards: an account has {limits.shards:,.0f}; ask for more"
    if larger > limits.resharding:
        yield f"{larger:,} shards of a stream: UpdateShardCount makes {limits.resharding:,.0f}"
    if larger > TEMPLATE_SHARDS:
        yield f"{larger:,} shards of a stream: template.yaml's ShardCount takes {TEMPLATE_SHARDS}"


def _on_demand(plan: Plan, prices: Prices) -> Iterator[str]:
    scaling, peak = prices.on_demand_scaling, plan.scenario.peak_factor
    for stream in plan.streams:
        written = stream.flow.bytes * peak
        read = written * stream.consumers
        if written > scaling.stream_bytes or read > scaling.stream_read_bytes:
            yield (
                f"{written / 1e9:,.1f} GB/s written to the {stream.name} stream and "
                f"{read / 1e9:,.1f} read: on demand it takes {scaling.stream_bytes / 1e9:.0f} and "
                f"{scaling.stream_read_bytes / 1e9:.0f}"
            )
    each = [stream.shards for stream in plan.streams]
    if max(each) > scaling.least_shards * scaling.room:
        yield (
            f"room of {' and '.join(f'{shards:,}' for shards in each)} shards: a new on-demand "
            f"stream has {scaling.least_shards:.0f}; at most double the rate every 15 minutes"
        )
