"""What the event source mapping and the function make of a flow: batches, calls, durations."""

from dataclasses import dataclass
from math import expm1

from capacity.packing import packed, pieces_of_group
from capacity.prices import Kinesis, Lambda, Prices
from capacity.scenario import Scenario
from capacity.streams import Flow, whole


@dataclass(frozen=True, slots=True)
class Batch:
    """The mean invocation of one predictor.

    Attributes:
        records: Of the input stream.
        rides: In these records.
        puts: What it puts onto the output stream; `records` is of the invocation.
        calls: Of PutRecords.
        seconds: How long it runs.
        memory_mb: How much it needs.
    """

    records: float
    rides: float
    puts: Flow
    calls: int
    seconds: float
    memory_mb: float


def gathered(records_per_second: float, window_seconds: float, poll_seconds: float) -> float:
    """Records of a mean batch that only its batching window ends; at least one.

    A window begins as soon as the last invocation ends, and one without records is followed by the
    next ("How Lambda processes records from stream and queue-based event sources", AWS Lambda
    Developer Guide). So the mean is over windows with records; records are taken to come by
    chance (Poisson). The time of the invocation is not counted.

    Args:
        records_per_second: On the lane.
        window_seconds: Of the mapping.
        poll_seconds: From one poll to the next.
    """
    records = records_per_second * max(window_seconds, poll_seconds)
    return records / -expm1(-records) if records else 1.0


def most_records(flow: Flow, limits: Lambda) -> int:
    """Records of a flow that fit into the payload of an invocation; at least one."""
    return max(1, int(limits.payload_bytes // event_bytes(flow, limits)))


def event_bytes(flow: Flow, limits: Lambda) -> float:
    """Bytes that a record takes in an event, at most: base64, its key, and what is around them."""
    return (
        flow.data_bytes * 4 // 3 + limits.key_growth * flow.key_bytes + limits.record_overhead_bytes
    )


def mean_batch(flow: Flow, shards: int, scenario: Scenario, prices: Prices) -> Batch:
    """The mean invocation, when records spread evenly over shards and lanes."""
    return batch_of(mean_records(flow, shards, scenario, prices), flow, scenario, prices)


def mean_records(flow: Flow, shards: int, scenario: Scenario, prices: Prices) -> float:
    """Records of the mean invocation."""
    limits = prices.functions
    lane = flow.records / (shards * scenario.parallelization)
    return min(
        float(scenario.batch_size),
        float(most_records(flow, limits)),
        gathered(lane, scenario.window_seconds, limits.poll_seconds),
    )


def batch_of(records: float, flow: Flow, scenario: Scenario, prices: Prices) -> Batch:
    """An invocation with so many records of a flow."""
    rides = records * flow.events
    puts = _puts(rides, scenario, prices)
    calls = _calls(puts, rides, scenario, prices.kinesis)
    ride_us = scenario.ride_us + scenario.pack_us * scenario.aggregate_predictions
    core_ms = scenario.invocation_ms + (rides * ride_us + puts.records * scenario.entry_us) / 1000
    return Batch(
        records=records,
        rides=rides,
        puts=puts,
        calls=calls,
        seconds=duration(core_ms, calls * scenario.put_ms, scenario, prices),
        memory_mb=scenario.base_mb + rides * scenario.ride_kb / 1000,
    )


def _puts(rides: float, scenario: Scenario, prices: Prices) -> Flow:
    if scenario.aggregate_predictions:
        return packed(rides, scenario, prices.aggregation)
    return Flow(rides, 1, scenario.prediction_bytes, scenario.key_bytes)


def _calls(puts: Flow, rides: float, scenario: Scenario, limits: Kinesis) -> int:
    in_turn = pieces_of_group(rides, scenario) if scenario.aggregate_predictions else 1
    return max(
        whole(puts.records / limits.call_entries), whole(puts.bytes / limits.call_bytes), in_turn
    )


def duration(core_ms: float, waiting_ms: float, scenario: Scenario, prices: Prices) -> float:
    """Seconds: of a core, stretched by the share of one that the memory brings, and of waiting."""
    stretch = max(1.0, prices.functions.core_mb / scenario.memory_mb)
    return (core_ms * stretch + waiting_ms) / 1000
