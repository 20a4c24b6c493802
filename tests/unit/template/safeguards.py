"""What keeps data from getting lost or seen: each stream, mapping, log and alarm has it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.template.possible import numbers
from tests.unit.template.rendering import rendered
from tests.unit.template.resources import Template, at, of_type, type_of

_MAPPING = "AWS::Lambda::EventSourceMapping"
# Paths of properties, and what each must be; each member, if it is a list.
_REQUIRED: Mapping[str, Mapping[str, Any]] = {
    _MAPPING: {
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MetricsConfig.Metrics": ["EventCount"],
    },
    "AWS::Kinesis::Stream": {
        "StreamEncryption.EncryptionType": "KMS",
    },
}
_PRESENT = {
    "AWS::Kinesis::Stream": ["RetentionPeriodHours"],
    "AWS::Logs::LogGroup": ["RetentionInDays"],
}
_CAPS = ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"]
_DESTINATIONS = {"AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue"}


def problems(template: Template) -> list[str]:
    """Where a template lacks a safeguard."""
    rules = (_required, _present, _caps, _destinations, _logs, _alarms)
    return [problem for rule in rules for problem in rule(template)]


def _required(template: Template) -> Iterator[str]:
    for kind, required in _REQUIRED.items():
        for name, properties in of_type(template, kind):
            for path, value in required.items():
                found = at(properties, path)
                if found != value:
                    yield f"{name}.{path} is {found}; it must be {value}"


def _present(template: Template) -> Iterator[str]:
    for kind, paths in _PRESENT.items():
        for name, properties in of_type(template, kind):
            for path in paths:
                if not at(properties, path):
                    yield f"{name}.{path} is missing"


def _caps(template: Template) -> Iterator[str]:
    """Without them, Lambda tries again until the stream drops the record: -1 is forever."""
    for name, properties in of_type(template, _MAPPING):
        for key in _CAPS:
            for number in numbers(template, properties.get(key, -1)):
                if not number.value >= 0:
                    yield f"{name}.{key} may be {number}, which has no end"


def _destinations(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, _MAPPING):
        destination = at(properties, "DestinationConfig.OnFailure.Destination")
        places = rendered(destination or "nowhere")
        if not {type_of(template, place) for place in places} <= _DESTINATIONS:
            yield f"{name}: what it gives up goes to {', '.join(sorted(places))}"


def _logs(template: Template) -> Iterator[str]:
    """A function without a group of its own logs to one that Lambda makes and keeps forever."""
    for name, properties in of_type(template, "AWS::Lambda::Function"):
        groups = rendered(at(properties, "LoggingConfig.LogGroup") or "a group that Lambda makes")
        if {type_of(template, group) for group in groups} != {"AWS::Logs::LogGroup"}:
            yield f"{name} logs to {', '.join(sorted(groups))}"


def _alarms(template: Template) -> Iterator[str]:
    topics = {f"${{{name}}}" for name, _ in of_type(template, "AWS::SNS::Topic")}
    for name, properties in of_type(template, "AWS::CloudWatch::Alarm"):
        actions = rendered(properties.get("AlarmActions", []))
        if not actions or not actions <= topics:
            yield f"{name} acts on {', '.join(sorted(actions)) or 'nothing'}; it must be the topic"
        if properties.get("ActionsEnabled", True) is not True:
            yield f"{name} is silenced"
