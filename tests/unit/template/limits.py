"""The numbers of a template, against what AWS takes."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.session import Session

from tests.unit.template.possible import numbers
from tests.unit.template.rendering import branches, text
from tests.unit.template.resources import Template, at, of_type

_MAPPING = "AWS::Lambda::EventSourceMapping"
_FUNCTION = "AWS::Lambda::Function"
_STREAM = "AWS::Kinesis::Stream"
# Requests of APIs whose properties CloudFormation calls by the same names.
_REQUESTS = {
    _MAPPING: ("lambda", "CreateEventSourceMappingRequest"),
    _FUNCTION: ("lambda", "CreateFunctionRequest"),
    "AWS::Scheduler::Schedule": ("scheduler", "CreateScheduleInput"),
}
# What the API's model does not say, or says for Lambda Managed Instances as well ("Lambda quotas";
# Kinesis, IncreaseStreamRetentionPeriod and CreateStream).
_RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    _FUNCTION: {
        "Timeout": (1, 900),
        "MemorySize": (128, 10_240),
        "EphemeralStorage.Size": (512, 10_240),
    },
    _STREAM: {"RetentionPeriodHours": (24, 8760), "ShardCount": (1, float("inf"))},
}
# CloudWatch Logs, PutRetentionPolicy.
_LOG_RETENTION_DAYS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827}
_LOG_RETENTION_DAYS |= {2192, 2557, 2922, 3288, 3653}
# Lambda quotas, invocation payload.
_PAYLOAD_BYTES = 6 * 1024 * 1024
# A ride in an invocation's payload: its JSON in base64, and what Lambda says of it.
_RIDE_BYTES = 700
# Lambda parameters for Amazon Kinesis Data Streams event source mappings.
_LEAST_RECORD_AGE_SECONDS = 60
_DEFAULT_BATCH_SIZE = 100
_DEFAULT_RETENTION_HOURS = 24


def problems(template: Template) -> list[str]:
    """Where a template asks AWS for more than it takes, or a parameter would let one ask for it."""
    rules = (_modelled, _ranges, _record_ages, _payloads, _retentions, _log_retentions)
    return [problem for rule in rules for problem in rule(template)]


def _outside(template: Template, place: str, value: Any, low: float, high: float) -> Iterator[str]:
    for number in numbers(template, value):
        if not low <= number.value <= high:
            yield f"{place} may be {number}; AWS takes {low:g} to {high:g}"


def _modelled(template: Template) -> Iterator[str]:
    for kind, (service, request) in _REQUESTS.items():
        for name, properties in of_type(template, kind):
            yield from _shaped(template, name, properties, _api(service).shape_for(request))


@cache
def _api(service: str) -> ServiceModel:
    return Session().get_service_model(service)


def _shaped(template: Template, place: str, value: Any, shape: Shape) -> Iterator[str]:
    """The limits of one value as botocore's model of the service has them."""
    for branch in branches(value):
        yield from _of_shape(template, place, branch, shape)


def _of_shape(template: Template, place: str, value: Any, shape: Shape) -> Iterator[str]:
    low = shape.metadata.get("min", float("-inf"))
    high = shape.metadata.get("max", float("inf"))
    match shape, value:
        case StructureShape(), dict():
            for key in value.keys() & shape.members.keys():
                yield from _shaped(template, f"{place}.{key}", value[key], shape.members[key])
        case ListShape(), list():
            if not low <= len(value) <= high:
                yield f"{place} has {len(value)} members; AWS takes {low:g} to {high:g}"
            for item in value:
                yield from _shaped(template, place, item, shape.member)
        case Shape(type_name="integer"), _:
            yield from _outside(template, place, value, low, high)
        case StringShape(), str() if shape.enum and value not in shape.enum:
            yield f"{place} may be {value}; AWS takes {', '.join(shape.enum)}"
        case StringShape(), str() if not low <= len(value) <= high:
            yield f"{place} has {len(value)} characters; AWS takes {low:g} to {high:g}"


def _ranges(template: Template) -> Iterator[str]:
    for kind, ranges in _RANGES.items():
        for name, properties in of_type(template, kind):
            for path, (low, high) in ranges.items():
                value = at(properties, path)
                if value is not None:
                    yield from _outside(template, f"{name}.{path}", value, low, high)


def _record_ages(template: Template) -> Iterator[str]:
    """Forever is -1; between that and a minute, Lambda takes nothing."""
    for name, properties in of_type(template, _MAPPING):
        for age in numbers(template, properties.get("MaximumRecordAgeInSeconds", [])):
            if -1 < age.value < _LEAST_RECORD_AGE_SECONDS:
                yield f"{name}.MaximumRecordAgeInSeconds may be {age}; AWS takes 60 or more"


def _payloads(template: Template) -> Iterator[str]:
    most = _PAYLOAD_BYTES // _RIDE_BYTES
    for name, properties in of_type(template, _MAPPING):
        for size in numbers(template, properties.get("BatchSize", _DEFAULT_BATCH_SIZE)):
            if size.value > most:
                yield f"{name}.BatchSize may be {size}; 6 MB hold {most} rides"


def _retentions(template: Template) -> Iterator[str]:
    """A record that the stream drops before Lambda gives it up is nowhere."""
    for name, properties in of_type(template, _MAPPING):
        kept = _shortest_retention(template, properties["EventSourceArn"])
        for age in numbers(template, properties.get("MaximumRecordAgeInSeconds", -1)):
            if not 0 <= age.value < kept:
                yield (
                    f"{name}.MaximumRecordAgeInSeconds may be {age}; "
                    f"its stream may keep records for {kept:g} seconds only"
                )


def _shortest_retention(template: Template, arn: Any) -> float:
    """In seconds."""
    # A consumer of a stream reads what the stream keeps.
    arns = (text(branch) for branch in branches(arn))
    (stream,) = {found[1] for each in arns if (found := re.fullmatch(r"\$\{(\w+)\.Arn\}", each))}
    hours = dict(of_type(template, _STREAM))[stream].get(
        "RetentionPeriodHours", _DEFAULT_RETENTION_HOURS
    )
    return 3600 * min(number.value for number in numbers(template, hours))


def _log_retentions(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::Logs::LogGroup"):
        for number in numbers(template, properties.get("RetentionInDays", [])):
            if number.value not in _LOG_RETENTION_DAYS:
                yield f"{name}.RetentionInDays may be {number}, which CloudWatch does not take"
