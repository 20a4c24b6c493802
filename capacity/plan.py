"""What a scenario needs: shards, invocations, concurrency. From the scenario and prices alone."""

from dataclasses import dataclass, replace

from capacity.batch_sizes import Batch, mean_batch
from capacity.decision_load import Decisions, decisions
from capacity.prices import Prices
from capacity.scenario import Scenario
from capacity.streams import Flow, input_flow, shards


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream, what is put onto it, and how many applications read it."""

    name: str
    flow: Flow
    shards: int
    consumers: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario needs, at its mean rate; shards are for the peak.

    Attributes:
        scenario: What was asked.
        input: Rides on the input stream.
        input_shards: Of the input stream.
        batch: The mean invocation.
        invocations: A second, of all predictors; the decision function has its own.
        output: Predictions on the output stream, of all predictors.
        output_shards: Of the output stream.
        decisions: What they need; None if there are none.
    """

    scenario: Scenario
    input: Flow
    input_shards: int
    batch: Batch
    invocations: float
    output: Flow
    output_shards: int
    decisions: Decisions | None = None

    @property
    def concurrency(self) -> float:
        """Predictors' invocations that run at the same time, on average."""
        return self.invocations * self.batch.seconds

    @property
    def all_concurrency(self) -> float:
        """The same of all functions."""
        return self.concurrency + (self.decisions.concurrency if self.decisions else 0)

    @property
    def lanes(self) -> int:
        """Predictors' invocations that can run at the same time: all do when they catch up."""
        return self.input_shards * self.scenario.parallelization * self.scenario.predictors

    @property
    def all_lanes(self) -> int:
        """The same of all functions."""
        return self.lanes + (self.decisions.lanes if self.decisions else 0)

    @property
    def streams(self) -> list[Stream]:
        """Of rides, of predictions, and of decisions if there are any."""
        scenario, made = self.scenario, self.decisions
        readers = scenario.output_consumers + (made is not None)
        streams = [
            Stream("input", self.input, self.input_shards, scenario.predictors),
            Stream("output", self.output, self.output_shards, readers),
        ]
        if made is None:
            return streams
        own = Stream("decision", made.output, made.shards, scenario.output_consumers)
        return [*streams, own]

    def put_units(self, unit_bytes: float) -> float:
        """PUT payload units a second, of all streams."""
        return sum(stream.flow.put_units(unit_bytes) for stream in self.streams)


def plan(scenario: Scenario, prices: Prices) -> Plan:
    """Work out what a scenario needs."""
    rides = input_flow(scenario, prices)
    input_shards = shards(rides, scenario.predictors, scenario, prices)
    batch = mean_batch(rides, input_shards, scenario, prices)
    invocations = rides.records / batch.records * scenario.predictors
    predictions = replace(batch.puts, records=invocations * batch.puts.records)
    readers = scenario.output_consumers + scenario.has_decisions
    output_shards = shards(predictions, readers, scenario, prices)
    return Plan(
        scenario=scenario,
        input=rides,
        input_shards=input_shards,
        batch=batch,
        invocations=invocations,
        output=predictions,
        output_shards=output_shards,
        decisions=decisions(predictions, output_shards, scenario, prices)
        if scenario.has_decisions
        else None,
    )
