"""The settings of an event source mapping, as a SAM template has them."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from event_source_mapping.filters import FilterCriteria
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.values import whole_number

StartingPosition = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]

FOREVER = -1
# "Lambda parameters for Amazon Kinesis Data Streams event source mappings" (AWS Lambda Developer
# Guide) and CreateEventSourceMapping (API reference).
_LIMITS = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "MaximumRecordAgeInSeconds": (FOREVER, 604_800),
    "MaximumRetryAttempts": (FOREVER, 10_000),
    "ParallelizationFactor": (1, 10),
    "TumblingWindowInSeconds": (0, 900),
}
_LEAST_AGE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a mapping waits where no template says so.

    Attributes:
        discovery_seconds: Between two looks for shards that a split or a merge has made.
        idle_seconds: Between two looks whether a window is over, while no records come.
        backoff_seconds: Half of the wait after a first failed attempt. AWS does not say how long it
            waits between retries, only that it backs off.
        max_backoff_seconds: The longest wait between two attempts.
    """

    discovery_seconds: float = 1.0
    idle_seconds: float = 0.5
    backoff_seconds: float = 0.1
    max_backoff_seconds: float = 10.0

    def backoff(self, attempt: int) -> float:
        """Return how long to wait after so many attempts: longer each time, partly by chance."""
        ceiling = min(self.max_backoff_seconds, self.backoff_seconds * 2 ** min(attempt, 16))
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """A Kinesis event of a SAM template.

    Attributes:
        name: Logical ID of the mapping.
        stream: Name of the input stream.
        starting_position: TRIM_HORIZON, LATEST or AT_TIMESTAMP.
        batch_size: Most records of one invocation.
        batching_window_seconds: How long to wait for a full batch.
        bisect_on_error: Split a batch that failed as a whole.
        report_item_failures: Read `batchItemFailures` in the function's answer.
        max_retries: How often a batch is tried again; -1 is forever.
        max_record_age_seconds: Older records are given up; -1 is never.
        failure_bucket: S3 bucket for batches that are given up.
        failure_queue: SQS queue for what is to be known of them; without both, they are dropped.
        starting_timestamp: Where AT_TIMESTAMP begins, in seconds since the epoch.
        parallelization: How many batches of one shard run at the same time.
        filters: Which records the function gets; the others are passed over.
        tumbling_window_seconds: Length of the windows that state is kept for; 0 keeps none.
        poll_seconds: How long to wait before a shard is polled again that is read to its end. No
            template says so: Lambda waits a second, which is the only cost of asking more often.
        timings: How long to wait for anything else.
    """

    name: str
    stream: str
    starting_position: StartingPosition
    batch_size: int = 100
    batching_window_seconds: float = 0
    bisect_on_error: bool = False
    report_item_failures: bool = False
    max_retries: int = FOREVER
    max_record_age_seconds: int = FOREVER
    failure_bucket: str | None = None
    failure_queue: str | None = None
    starting_timestamp: float | None = None
    parallelization: int = 1
    filters: FilterCriteria = field(default_factory=FilterCriteria)
    tumbling_window_seconds: int = 0
    poll_seconds: float = 0.05
    timings: Timings = Timings()

    def __post_init__(self) -> None:
        """Refuse windows in parallel lanes: their state is a shard's."""
        if self.tumbling_window_seconds and self.parallelization != 1:
            raise TemplateError(
                f"{self.name}: ParallelizationFactor is {self.parallelization}; "
                "with tumbling windows it must be 1"
            )

    @property
    def max_age_seconds(self) -> float:
        """The maximum age of a record, infinite if there is none."""
        is_forever = self.max_record_age_seconds == FOREVER
        return math.inf if is_forever else self.max_record_age_seconds

    @classmethod
    def from_properties(cls, name: str, properties: Mapping[str, Any]) -> Self:
        """Read the properties of a SAM event of type Kinesis, intrinsic functions resolved.

        Raises:
            TemplateError: A property is not simulated here, or Lambda would refuse it.
        """

        def number(key: str, default: int) -> int:
            return _within_limits(name, key, properties.get(key, default))

        _require_simulated(name, properties)
        return cls(
            name=name,
            stream=_resource(properties["Stream"], "kinesis", name),
            starting_position=properties["StartingPosition"],
            batch_size=number("BatchSize", 100),
            batching_window_seconds=number("MaximumBatchingWindowInSeconds", 0),
            bisect_on_error=_flag(properties.get("BisectBatchOnFunctionError", False)),
            report_item_failures=_reports_item_failures(name, properties),
            max_retries=number("MaximumRetryAttempts", FOREVER),
            max_record_age_seconds=number("MaximumRecordAgeInSeconds", FOREVER),
            failure_bucket=_on_failure(properties, "s3", name),
            failure_queue=_on_failure(properties, "sqs", name),
            starting_timestamp=_starting_timestamp(properties, name),
            parallelization=number("ParallelizationFactor", 1),
            filters=FilterCriteria.from_property(name, properties.get("FilterCriteria", {})),
            tumbling_window_seconds=number("TumblingWindowInSeconds", 0),
        )


_KNOWN_PROPERTIES = {
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",  # Lambda counts by it; what it delivers stays the same
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Stream",
    "TumblingWindowInSeconds",
}
_STARTING_POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")


def _require_simulated(name: str, properties: Mapping[str, Any]) -> None:
    unknown = properties.keys() - _KNOWN_PROPERTIES
    if unknown:
        raise TemplateError(
            f"{name}: the local event source mapping does not simulate "
            f"{', '.join(sorted(unknown))}; it knows {', '.join(sorted(_KNOWN_PROPERTIES))}"
        )
    position = properties.get("StartingPosition")
    if position not in _STARTING_POSITIONS:
        raise TemplateError(
            f"{name}: StartingPosition is {position!r}; "
            f"it must be one of {', '.join(_STARTING_POSITIONS)}"
        )


def _starting_timestamp(properties: Mapping[str, Any], name: str) -> float | None:
    key = "StartingPositionTimestamp"
    if (properties["StartingPosition"] == "AT_TIMESTAMP") != (key in properties):
        raise TemplateError(f"{name}: {key} goes with StartingPosition AT_TIMESTAMP, and only so")
    return float(whole_number(f"{name}: {key}", properties[key])) if key in properties else None


def _reports_item_failures(name: str, properties: Mapping[str, Any]) -> bool:
    types = properties.get("FunctionResponseTypes", [])
    if types not in ([], ["ReportBatchItemFailures"]):
        raise TemplateError(
            f"{name}: FunctionResponseTypes is {types!r}; "
            "it must be a list that is empty or has ReportBatchItemFailures alone"
        )
    return bool(types)


def _within_limits(name: str, key: str, value: Any) -> int:
    number = whole_number(f"{name}: {key}", value)
    low, high = _LIMITS[key]
    # An age is forever, or long enough for Lambda to tell.
    too_young = key == "MaximumRecordAgeInSeconds" and FOREVER < number < _LEAST_AGE_SECONDS
    if not low <= number <= high or too_young:
        least = f"{FOREVER}, or from {_LEAST_AGE_SECONDS}" if too_young else f"from {low}"
        raise TemplateError(f"{name}: {key} is {number}; it must be {least} to {high}")
    return number


def _flag(value: Any) -> bool:
    return str(value).lower() == "true"


def _on_failure(properties: Mapping[str, Any], service: str, name: str) -> str | None:
    """The on-failure destination, if it is of that service."""
    destination = properties.get("DestinationConfig")
    if destination is None:
        return None
    if destination.keys() != {"OnFailure"}:
        raise TemplateError(
            f"{name}: DestinationConfig has {', '.join(sorted(destination))}; "
            "of a Kinesis mapping it must have OnFailure alone"
        )
    arn = destination["OnFailure"]["Destination"]
    if arn.split(":")[2:3] not in (["s3"], ["sqs"]):
        raise TemplateError(f"{name}: {arn!r} is not the ARN of a s3 or sqs resource")
    return _resource(arn, service, name) if f":{service}:" in arn else None


def _resource(arn: str, service: str, name: str) -> str:
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] != service:  # noqa: PLR2004 - arn:partition:service:region:account:id
        raise TemplateError(f"{name}: {arn!r} is not the ARN of a {service} resource")
    if "/consumer/" in arn:
        raise TemplateError(
            f"{name}: {arn!r} is a stream consumer; enhanced fan-out is not simulated, "
            "give the stream's own ARN"
        )
    return parts[5].rpartition("/")[2]
