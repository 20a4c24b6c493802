"""Whether each alarm watches something that exists."""

import re
from collections.abc import Iterator
from typing import Any

from tests.unit.template.rendering import items, text
from tests.unit.template.resources import Template, of_type, type_of

# CloudWatch, PutMetricAlarm: of metrics, and of expressions.
_MOST_OF_A_KIND = 10
_LAMBDA = "AWS/Lambda"
_OF_FUNCTIONS = {"FunctionName": "AWS::Lambda::Function"}
_OF_MAPPINGS = {"EventSourceMappingUUID": "AWS::Lambda::EventSourceMapping"}
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


def problems(template: Template) -> list[str]:
    """Where an alarm would stay silent, or CloudWatch would refuse it."""
    return [
        f"{name}: {problem}"
        for name, alarm in of_type(template, "AWS::CloudWatch::Alarm")
        for problem in [*_queries(alarm), *_metrics(template, alarm)]
    ]


def _metrics(template: Template, alarm: dict[str, Any]) -> Iterator[str]:
    stats = [query["MetricStat"] for query in _parts(alarm) if "MetricStat" in query]
    metrics = [stat["Metric"] for stat in stats]
    for metric in metrics if "Metrics" in alarm else [alarm]:
        yield from _metric(template, metric)


def _metric(template: Template, metric: dict[str, Any]) -> Iterator[str]:
    namespace, name = text(metric.get("Namespace")), text(metric.get("MetricName"))
    dimensions = {item["Name"]: text(item["Value"]) for item in metric.get("Dimensions", [])}
    if (namespace, name) in _filtered(template):
        expected: dict[str, str] = {}
    elif (namespace, name) in _DIMENSIONS:
        expected = _DIMENSIONS[namespace, name]
    else:
        yield f"nobody publishes {namespace} {name}"
        return
    if {key: type_of(template, value) for key, value in dimensions.items()} != expected:
        yield f"{namespace} {name} has no dimensions {dimensions}, but {expected}"


def _filtered(template: Template) -> set[tuple[str, str]]:
    """Namespace and name of the metrics that this template's metric filters publish."""
    return {
        (text(metric["MetricNamespace"]), text(metric["MetricName"]))
        for _, properties in of_type(template, "AWS::Logs::MetricFilter")
        for metric in properties["MetricTransformations"]
    }


def _parts(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return items(alarm.get("Metrics", []))


def _queries(alarm: dict[str, Any]) -> Iterator[str]:
    if "Metrics" not in alarm:
        return
    parts = _parts(alarm)
    ids = [part["Id"] for part in parts]
    returning = [part["Id"] for part in parts if part.get("ReturnData", True)]
    always = [part["Id"] for part in alarm["Metrics"] if "Id" in part]
    if len(set(ids)) < len(ids):
        yield f"an id comes twice in {ids}"
    if len(returning) != 1 or returning[0] not in always:
        yield f"{returning} return data; exactly one must"
    for kind in ("MetricStat", "Expression"):
        if sum(kind in part for part in parts) > _MOST_OF_A_KIND:
            yield f"it has more than {_MOST_OF_A_KIND} of {kind}"
    for part in parts:
        yield from _expression(part.get("Expression", ""), always)


def _expression(expression: str, ids: list[str]) -> Iterator[str]:
    """Whether all that an expression names is there, whatever the conditions are."""
    for part_of_id in re.findall(r'METRICS\("([^"]*)"\)', expression):
        if not any(part_of_id in name for name in ids):
            yield f"no metric has {part_of_id} in its id"
    for name in re.findall(r"\b[a-z]\w*", re.sub(r'"[^"]*"', "", expression)):
        if name not in ids:
            yield f"{name} is not the id of a metric that is always there"
