"""What is asked: a rate of rides, and how they are put, batched and predicted."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """Capacity mode of all streams."""

    PROVISIONED = "provisioned"
    ON_DEMAND = "on-demand"
    ADVANTAGE = "on-demand-advantage"


class Architecture(StrEnum):
    """Processor of the functions."""

    X86 = "x86_64"
    ARM = "arm64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A rate of rides, and the settings that decide what it needs.

    What has a default has that of `template.yaml`; `prices.Defaults` has the others.

    Attributes:
        rides_per_second: Mean of the month.
        ride_bytes: JSON of a ride event.
        prediction_bytes: JSON of a prediction event.
        key_bytes: A partition key.
        ride_us: Time of one core a ride, in µs.
        pack_us: Time of one core a prediction that is packed, in µs.
        entry_us: Time of one core a record put, in µs.
        invocation_ms: Time of one core an invocation, beside these.
        put_ms: Time that a PutRecords call is waited for.
        write_us: Time of one core a write of a case, with all that goes with it, in µs.
        table_ms: Time that a call of the table is waited for.
        case_bytes: A case without predictions.
        case_prediction_bytes: Each prediction of a case.
        case_decision_bytes: The decision of a case, beside its predictions.
        decision_bytes: JSON of a decision event, beside its predictions.
        decision_prediction_bytes: Each prediction of a decision event.
        base_mb: Memory of a function without a batch.
        ride_kb: Memory of each ride of a batch.
        init_seconds: Time of a cold start.
        log_bytes: What an invocation logs.
        rejected_share: Of the rides, 0 to 1.
        buffer_seconds: How long a producer waits for an aggregated record to fill.
        fill: Share of a shard's limits that the peak may use, over 0 to 1.
        hours: Of a month.
        mode: Of all streams.
        predictors: Functions that read the rides; all put onto one output stream.
        batch_size: Most records of an invocation.
        window_seconds: How long the mapping waits for a full batch.
        parallelization: Batches of a shard that run at the same time.
        memory_mb: Of a function.
        architecture: Of a function.
        rides_per_record: How many a producer aggregates, at most; 1 aggregates none.
        aggregate_predictions: Whether the function packs its predictions into few records.
        decides: Whether rides are decided on, if there is more than one predictor.
        output_consumers: Applications that read the predictions, and those that read the decisions.
        fan_out: Whether every consumer, mappings too, has enhanced fan-out.
        retention_hours: Of all streams.
        peak_factor: Rate at the peak, over the mean rate.
    """

    rides_per_second: float
    ride_bytes: float
    prediction_bytes: float
    key_bytes: float
    ride_us: float
    pack_us: float
    entry_us: float
    invocation_ms: float
    put_ms: float
    write_us: float
    table_ms: float
    case_bytes: float
    case_prediction_bytes: float
    case_decision_bytes: float
    decision_bytes: float
    decision_prediction_bytes: float
    base_mb: float
    ride_kb: float
    init_seconds: float
    log_bytes: float
    rejected_share: float
    buffer_seconds: float
    fill: float
    hours: float
    mode: Mode = Mode.PROVISIONED
    predictors: int = 1
    batch_size: int = 1000
    window_seconds: float = 1
    parallelization: int = 1
    memory_mb: int = 1024
    architecture: Architecture = Architecture.X86
    rides_per_record: int = 1
    aggregate_predictions: bool = False
    decides: bool = True
    output_consumers: int = 1
    fan_out: bool = False
    retention_hours: int = 24
    peak_factor: float = 1

    @property
    def has_decisions(self) -> bool:
        """Whether there is a decision function: without a second predictor, there is none."""
        return self.decides and self.predictors > 1

    @property
    def rides_a_month(self) -> float:
        """How many rides there are in a month."""
        return self.rides_per_second * self.hours * 3600
