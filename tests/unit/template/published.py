"""Which metrics there are, and of what: those of AWS, and those of a template's metric filters."""

from collections.abc import Iterator
from typing import Any

from tests.unit.template.rendering import rendered, text
from tests.unit.template.resources import Template, at, of_type, type_of

_LAMBDA = "AWS/Lambda"
_OF_FUNCTIONS = {"FunctionName": "AWS::Lambda::Function"}
_OF_MAPPINGS = {"EventSourceMappingUUID": "AWS::Lambda::EventSourceMapping"}
_OF_RULES = {"RuleName": "AWS::Events::Rule"}
_OF_STREAMS = {"StreamName": "AWS::Kinesis::Stream"}
# Dimensions and what each names ("Types of metrics for Lambda functions"; "Monitor the Amazon
# Kinesis Data Streams service with Amazon CloudWatch").
_DIMENSIONS = {
    **{
        (_LAMBDA, metric): _OF_FUNCTIONS
        for metric in (
            "DestinationDeliveryFailures",
            "Duration",
            "Errors",
            "Invocations",
            "IteratorAge",
            "Throttles",
        )
    },
    **{
        (_LAMBDA, metric): _OF_MAPPINGS
        for metric in (
            "DroppedEventCount",
            "FailedInvokeEventCount",
            "InvokedEventCount",
            "OnFailureDestinationDeliveredEventCount",
            "PolledEventCount",
        )
    },
    **{
        ("AWS/Kinesis", metric): _OF_STREAMS
        for metric in (
            "GetRecords.IteratorAgeMilliseconds",
            "IncomingBytes",
            "IncomingRecords",
            "ReadProvisionedThroughputExceeded",
            "WriteProvisionedThroughputExceeded",
        )
    },
}

# "Monitoring Amazon EventBridge".
_DIMENSIONS[("AWS/Events", "Invocations")] = _OF_RULES

# What the dimension of a metric filter names: the `model` of a function's log.
_MODEL_OF_A_FUNCTION = "MODEL_NAME"
# The decision function calls itself by another one.
_NAMES = (_MODEL_OF_A_FUNCTION, "DECISION_NAME")


def problems(template: Template, metric: dict[str, Any]) -> Iterator[str]:
    """Why a metric that somebody watches stays without data."""
    namespace, name = text(metric.get("Namespace")), text(metric.get("MetricName"))
    dimensions = {item["Name"]: text(item["Value"]) for item in metric.get("Dimensions", [])}
    expected = {**_DIMENSIONS, **_filtered(template)}.get((namespace, name))
    if expected is None:
        yield f"nobody publishes {namespace} {name}"
    elif {key: _kind(template, value) for key, value in dimensions.items()} != expected:
        yield f"{namespace} {name} has no dimensions {dimensions}, but {expected}"


def _filtered(template: Template) -> dict[tuple[str, str], dict[str, str]]:
    """Dimensions of the metrics that this template's metric filters publish, by their names."""
    return {
        (text(metric["MetricNamespace"]), text(metric["MetricName"])): {
            item["Key"]: _MODEL_OF_A_FUNCTION for item in metric.get("Dimensions", [])
        }
        for _, properties in of_type(template, "AWS::Logs::MetricFilter")
        for metric in properties["MetricTransformations"]
    }


def _kind(template: Template, value: str) -> str | None:
    """What a value of a dimension names."""
    models = {
        name
        for _, function in of_type(template, "AWS::Lambda::Function")
        for variable in _NAMES
        for name in rendered(at(function, f"Environment.Variables.{variable}") or [])
    }
    return _MODEL_OF_A_FUNCTION if value in models else type_of(template, value)
