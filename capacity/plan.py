"""What a scenario needs: shards, batches, invocations, concurrency, and units of DynamoDB."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import expm1

from capacity.flows import Flow, Stream, packed_flow, packed_pieces, ride_flow, stream_of, whole
from capacity.prices import Prices
from capacity.scenario import Scenario
from decision_service.service import CASES_AT_A_TIME
from decision_service.settings import MAX_NEEDED
from event_source_mapping.lambda_records import MAX_EVENT_BYTES
from streams.writer import MAX_CALL_BYTES, MAX_CALL_ENTRIES

# The index of open cases: one write adds a case, one removes it.
_INDEX_WRITES = 2
# One write saves the decision with the last prediction, one marks it as put.
_DECIDED_WRITES = 2
# The decision function loads a group of cases once and saves it twice, many cases at a time.
_TABLE_CALLS = 3


@dataclass(frozen=True, slots=True)
class Function:
    """Functions that do the same work: the predictors, or the decision function.

    Attributes:
        name: Name in reports.
        copies: How many there are.
        events: Rides or predictions of a mean batch.
        invocations: Invocations a second, of all copies.
        seconds: Duration of a mean invocation.
        lanes: Batches that can run at the same time, of all copies.
    """

    name: str
    copies: int
    events: float
    invocations: float
    seconds: float
    lanes: int

    @property
    def concurrency(self) -> float:
        """Mean number of concurrent executions."""
        return self.invocations * self.seconds


@dataclass(frozen=True, slots=True)
class Batch:
    """The mean invocation of a predictor.

    Attributes:
        records: Records of the input stream.
        rides: Rides in these records.
        puts: Records that it puts.
        calls: PutRecords calls.
        seconds: Duration.
        memory_mb: Memory in use.
    """

    records: float
    rides: float
    puts: Flow
    calls: int
    seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Table:
    """Use of the DynamoDB table of decisions: units a second, and bytes stored."""

    write_units: float
    read_units: float
    stored_bytes: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario needs at its mean rate. Shards are for the peak.

    Attributes:
        scenario: The question.
        batch: The mean invocation of a predictor.
        streams: Rides, predictions, and decisions if there are any.
        functions: The predictors, and the decision function if there is one.
        table: The table of decisions, if there is one.
    """

    scenario: Scenario
    batch: Batch
    streams: Sequence[Stream]
    functions: Sequence[Function]
    table: Table | None = None

    @property
    def invocations(self) -> float:
        """Invocations a second, of all functions."""
        return sum(function.invocations for function in self.functions)

    @property
    def concurrency(self) -> float:
        """Mean number of concurrent executions, of all functions."""
        return sum(function.concurrency for function in self.functions)

    @property
    def lanes(self) -> int:
        """Batches that can run at the same time, of all functions."""
        return sum(function.lanes for function in self.functions)


def plan(scenario: Scenario, prices: Prices) -> Plan:
    """Work out what a scenario needs."""
    rides = stream_of("input", ride_flow(scenario, prices), scenario.predictors, scenario, prices)
    batch = batch_of(batch_records(rides, scenario, prices), rides.flow, scenario, prices)
    predictor = _predictor(rides, batch, scenario)
    flow = replace(batch.puts, records=predictor.invocations * batch.puts.records)
    consumers = scenario.output_consumers + scenario.has_decisions
    predictions = stream_of("output", flow, consumers, scenario, prices)
    if not scenario.has_decisions:
        return Plan(scenario, batch, [rides, predictions], [predictor])
    return Plan(
        scenario,
        batch,
        streams=[rides, predictions, _decisions(scenario, prices)],
        functions=[predictor, _decision_function(predictions, scenario, prices)],
        table=_table(scenario, prices),
    )


def _predictor(rides: Stream, batch: Batch, scenario: Scenario) -> Function:
    return Function(
        name="predictor",
        copies=scenario.predictors,
        events=batch.rides,
        invocations=rides.flow.records / batch.records * scenario.predictors,
        seconds=batch.seconds,
        lanes=rides.shards * scenario.parallelization * scenario.predictors,
    )


def batch_records(stream: Stream, scenario: Scenario, prices: Prices) -> float:
    """Return the records of a mean batch, if records spread evenly over shards and lanes."""
    lane = stream.flow.records / (stream.shards * scenario.parallelization)
    return min(
        float(scenario.batch_size),
        float(payload_records(stream.flow, prices)),
        gathered(lane, max(scenario.window_seconds, prices.limits.poll_seconds)),
    )


def payload_records(flow: Flow, prices: Prices) -> int:
    """Return how many records fit into the payload of an invocation; at least one."""
    size = prices.predictions
    encoded = flow.data_bytes * 4 // 3 + size.key_growth * flow.key_bytes
    return max(1, int(MAX_EVENT_BYTES // (encoded + size.record_overhead_bytes)))


def gathered(records_per_second: float, seconds: float) -> float:
    """Return the records of a mean batch that its window ends, if records arrive at random.

    The next window begins when an invocation ends ("How Lambda processes records from stream and
    queue-based event sources", AWS Lambda Developer Guide). A window without records makes no
    batch, so this is the mean of a Poisson distribution without its zeros.
    """
    records = records_per_second * seconds
    return records / -expm1(-records) if records else 1.0


def batch_of(records: float, flow: Flow, scenario: Scenario, prices: Prices) -> Batch:
    """Return a predictor's invocation with a number of records."""
    rides, cost = records * flow.events, prices.predictions
    packs = scenario.aggregate_predictions
    singly = Flow(rides, 1, cost.prediction_bytes, cost.key_bytes)
    puts = packed_flow(rides, prices) if packs else singly
    in_turn = packed_pieces(rides, prices) if packs else 1
    calls = max(whole(puts.records / MAX_CALL_ENTRIES), whole(puts.bytes / MAX_CALL_BYTES), in_turn)
    core_us = rides * (cost.ride_us + cost.pack_us * packs) + puts.records * cost.entry_us
    return Batch(
        records=records,
        rides=rides,
        puts=puts,
        calls=calls,
        seconds=_seconds(core_us, calls * cost.put_ms, scenario, prices),
        memory_mb=cost.base_mb + rides * cost.ride_kb / 1000,
    )


def _seconds(core_us: float, waiting_ms: float, scenario: Scenario, prices: Prices) -> float:
    """Return the duration of an invocation. With little memory, it has only a share of a core."""
    slower = max(1.0, prices.limits.core_mb / scenario.memory_mb)
    core_ms = prices.predictions.invocation_ms + core_us / 1000
    return (core_ms * slower + waiting_ms) / 1000


def _decision_function(predictions: Stream, scenario: Scenario, prices: Prices) -> Function:
    """Return the decision function, if no batch has two predictions of a ride."""
    records, cost = batch_records(predictions, scenario, prices), prices.decisions
    found, needed = records * predictions.flow.events, _needed(scenario)
    rides = found / scenario.predictors
    writes = rides * (needed - 1 + _DECIDED_WRITES)
    groups = whole(max(1.0, rides * needed / CASES_AT_A_TIME))
    waiting_ms = groups * (_TABLE_CALLS * cost.table_ms + prices.predictions.put_ms)
    return Function(
        name="decision function",
        copies=1,
        events=found,
        invocations=predictions.flow.records / records,
        seconds=_seconds(writes * cost.write_us, waiting_ms, scenario, prices),
        lanes=predictions.shards * scenario.parallelization,
    )


def _decisions(scenario: Scenario, prices: Prices) -> Stream:
    size, key_bytes = decision_bytes(scenario, prices), prices.predictions.key_bytes
    flow = Flow(scenario.rides_per_second, 1, size, key_bytes)
    return stream_of("decision", flow, scenario.output_consumers, scenario, prices)


def _table(scenario: Scenario, prices: Prices) -> Table:
    """Return what the table of decisions is used for, if each ride gets all its predictions."""
    cost, limits, needed = prices.decisions, prices.limits, _needed(scenario)
    open_cases = [case_bytes(count, prices) for count in range(1, needed + 1)]
    decided = open_cases[-1] + cost.case_decision_bytes
    written = [*open_cases[:-1], *[decided] * _DECIDED_WRITES]
    writes = sum(whole(size / limits.write_unit_bytes) for size in written) + _INDEX_WRITES
    reads = needed * whole(open_cases[-1] / limits.read_unit_bytes)
    stored = (decided + cost.item_bytes) * cost.keep_hours * 3600
    rate = scenario.rides_per_second
    return Table(write_units=rate * writes, read_units=rate * reads, stored_bytes=rate * stored)


def case_bytes(predictions: int, prices: Prices) -> float:
    """Return the size of an item with a number of predictions, before the decision."""
    return prices.decisions.case_bytes + predictions * prices.decisions.case_prediction_bytes


def decision_bytes(scenario: Scenario, prices: Prices) -> float:
    """Return the size of a decision event."""
    cost = prices.decisions
    return cost.event_bytes + _needed(scenario) * cost.event_prediction_bytes


def _needed(scenario: Scenario) -> int:
    """Return how many predictions a decision waits for."""
    return min(scenario.predictors, MAX_NEEDED)
