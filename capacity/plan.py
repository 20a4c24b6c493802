"""What a scenario needs: shards, invocations, concurrency. From the scenario and prices alone."""

from dataclasses import dataclass, replace

from capacity.batches import Batch, mean_batch
from capacity.prices import Prices
from capacity.scenario import Scenario
from capacity.streams import Flow, input_flow, shards


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario needs, at its mean rate; shards are for the peak.

    Attributes:
        scenario: What was asked.
        input: Rides on the input stream.
        input_shards: Of the input stream.
        batch: The mean invocation.
        invocations: A second, of all predictors.
        output: Predictions on the output stream, of all predictors.
        output_shards: Of the output stream.
    """

    scenario: Scenario
    input: Flow
    input_shards: int
    batch: Batch
    invocations: float
    output: Flow
    output_shards: int

    @property
    def concurrency(self) -> float:
        """Invocations that run at the same time, on average."""
        return self.invocations * self.batch.seconds

    @property
    def lanes(self) -> int:
        """Invocations that can run at the same time: all do when the functions catch up."""
        return self.input_shards * self.scenario.parallelization * self.scenario.predictors

    def put_units(self, unit_bytes: float) -> float:
        """PUT payload units a second, of both streams."""
        return self.input.put_units(unit_bytes) + self.output.put_units(unit_bytes)


def plan(scenario: Scenario, prices: Prices) -> Plan:
    """Work out what a scenario needs."""
    rides = input_flow(scenario, prices)
    input_shards = shards(rides, scenario.predictors, scenario, prices)
    batch = mean_batch(rides, input_shards, scenario, prices)
    invocations = rides.records / batch.records * scenario.predictors
    predictions = replace(batch.puts, records=invocations * batch.puts.records)
    return Plan(
        scenario=scenario,
        input=rides,
        input_shards=input_shards,
        batch=batch,
        invocations=invocations,
        output=predictions,
        output_shards=shards(predictions, scenario.output_consumers, scenario, prices),
    )
