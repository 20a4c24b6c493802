"""The question: a rate of rides, and the settings that decide what it needs."""

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Capacity mode of all streams."""

    PROVISIONED = "provisioned"
    ON_DEMAND = "on-demand"
    ADVANTAGE = "on-demand-advantage"


def _option(text: str, low: float = 0, high: float = 0) -> dict[str, object]:
    """Return what the command's option for a field needs: help and limits."""
    return {"help": text, "low": low, "high": high}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A rate of rides, and settings with the defaults of `template.yaml`.

    Each setting is an option of the command with the same name.
    """

    rides_per_second: float
    mode: Mode = field(default=Mode.PROVISIONED, metadata=_option("capacity mode of all streams"))
    predictors: int = field(default=1, metadata=_option("functions that read the rides", 1, 100))
    decisions: bool = field(
        default=True, metadata=_option("decide on rides, which needs a second predictor")
    )
    batch_size: int = field(
        default=1000, metadata=_option("maximum records of an invocation", 1, 10_000)
    )
    window_seconds: float = field(default=1.0, metadata=_option("batching window", 0, 300))
    parallelization: int = field(default=1, metadata=_option("concurrent batches per shard", 1, 10))
    memory_mb: int = field(default=1024, metadata=_option("memory of a function, MB", 128, 10_240))
    rides_per_record: int = field(
        default=1, metadata=_option("maximum rides that a producer aggregates", 1, 10_000)
    )
    aggregate_predictions: bool = field(
        default=False, metadata=_option("AGGREGATE_PREDICTIONS of the functions")
    )
    output_consumers: int = field(
        default=1, metadata=_option("applications that read each output stream", 0, 50)
    )
    fan_out: bool = field(default=False, metadata=_option("enhanced fan-out for every consumer"))
    retention_hours: int = field(default=24, metadata=_option("retention of all streams", 24, 8760))
    peak_factor: float = field(
        default=1.0, metadata=_option("peak rate divided by the mean rate", 1, 1000)
    )
    fill: float = field(
        default=0.8, metadata=_option("share of a shard's limits that the peak may use", 0.01, 1)
    )

    @property
    def has_decisions(self) -> bool:
        """Whether there is a decision function."""
        return self.decisions and self.predictors > 1
