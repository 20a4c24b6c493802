"""What the decision function makes of the predictions: invocations, units of its table, events."""

from dataclasses import dataclass

from capacity.batch_sizes import duration, mean_records
from capacity.prices import Prices, Table
from capacity.scenario import Scenario
from capacity.streams import Flow, shards, whole
from decision_service.service import CASES_AT_A_TIME
from decision_service.settings import MAX_NEEDED
from decision_service.store import SLOTS

# A case comes into the index with its first prediction, and goes once its decision is put.
_INDEX_UNITS = 2
# The last prediction's, which has the decision in it, and that it is put.
_DECIDED_WRITES = 2
# Of a group of cases: one loads them, two save them. They are made many at a time.
_CALLS_IN_TURN = 3


@dataclass(frozen=True, slots=True)
class Decisions:
    """What decisions on every ride need, at the mean rate.

    Attributes:
        batches: Invocations a second by predictions.
        sweeps: Invocations a second by the schedule.
        predictions: Of a mean batch.
        seconds: How long a mean batch runs.
        sweep_seconds: How long an invocation by the schedule runs that finds nothing due.
        lanes: Batches that can run at the same time.
        write_units: A second, of the table and its index.
        read_units: A second.
        kept_bytes: In the table at any time.
        output: Decisions on their stream.
        shards: Of that stream.
    """

    batches: float
    sweeps: float
    predictions: float
    seconds: float
    sweep_seconds: float
    lanes: int
    write_units: float
    read_units: float
    kept_bytes: float
    output: Flow
    shards: int

    @property
    def invocations(self) -> float:
        """A second."""
        return self.batches + self.sweeps

    @property
    def concurrency(self) -> float:
        """Invocations that run at the same time, on average."""
        return self.batches * self.seconds + self.sweeps * self.sweep_seconds


def decisions(
    predictions: Flow, prediction_shards: int, scenario: Scenario, prices: Prices
) -> Decisions:
    """Work out what decisions need, when each prediction of a ride comes in a batch of its own.

    Args:
        predictions: Those of all predictors.
        prediction_shards: Of their stream.
        scenario: What was asked.
        prices: Have the limits.
    """
    rides, needed, table = scenario.rides_per_second, _needed(scenario), prices.table
    records = mean_records(predictions, prediction_shards, scenario, prices)
    found = records * predictions.events
    output = Flow(rides, 1, decision_bytes(scenario), scenario.key_bytes)
    reads = needed * units(case_bytes(needed, scenario), table.read_unit_bytes)
    # A query that finds nothing is half of a unit, for it may lag behind.
    sweeps = 1 / table.sweep_seconds
    return Decisions(
        batches=predictions.records / records,
        sweeps=sweeps,
        predictions=found,
        seconds=_seconds(found, scenario, prices),
        sweep_seconds=duration(scenario.invocation_ms, SLOTS * scenario.table_ms, scenario, prices),
        lanes=prediction_shards * scenario.parallelization,
        write_units=rides * write_units(needed, scenario, table),
        read_units=rides * reads + sweeps * SLOTS / 2,
        kept_bytes=rides
        * (case_bytes(needed, scenario, decided=True) + table.item_bytes)
        * table.keep_hours
        * 3600,
        output=output,
        shards=shards(output, scenario.output_consumers, scenario, prices),
    )


def write_units(needed: int, scenario: Scenario, table: Table) -> int:
    """Units of a ride: its predictions but the last, its decision, that this is put, the index."""
    held = [case_bytes(count, scenario) for count in range(1, needed)]
    sizes = [*held, *[case_bytes(needed, scenario, decided=True)] * _DECIDED_WRITES]
    return sum(units(size, table.write_unit_bytes) for size in sizes) + _INDEX_UNITS


def case_bytes(predictions: int, scenario: Scenario, *, decided: bool = False) -> float:
    """Bytes of an item with so many predictions."""
    held = scenario.case_bytes + predictions * scenario.case_prediction_bytes
    return held + decided * scenario.case_decision_bytes


def decision_bytes(scenario: Scenario) -> float:
    """JSON of a decision event."""
    return scenario.decision_bytes + _needed(scenario) * scenario.decision_prediction_bytes


def units(item_bytes: float, unit_bytes: float) -> int:
    """Units of an item, which are begun; at least one."""
    return max(1, whole(item_bytes / unit_bytes))


def _needed(scenario: Scenario) -> int:
    """Predictions that a decision waits for; those of no need take no state."""
    return min(scenario.predictors, MAX_NEEDED)


def _seconds(predictions: float, scenario: Scenario, prices: Prices) -> float:
    """How long an invocation runs: its writes take a core, and its calls are waited for."""
    needed = _needed(scenario)
    rides = predictions / scenario.predictors
    writes = rides * (needed - 1 + _DECIDED_WRITES)
    # Of a ride's predictions, each is in a batch of its own, and has a case there.
    groups = whole(max(1.0, rides * needed / CASES_AT_A_TIME))
    waits = groups * (_CALLS_IN_TURN * scenario.table_ms + scenario.put_ms)
    core_ms = scenario.invocation_ms + writes * scenario.write_us / 1000
    return duration(core_ms, waits, scenario, prices)
