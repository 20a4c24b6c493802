"""Whether each alarm watches something that exists, in a way that CloudWatch takes."""

import re
from collections.abc import Iterator
from typing import Any

from tests.unit.template import published
from tests.unit.template.possible import numbers
from tests.unit.template.rendering import items
from tests.unit.template.resources import Template, of_type

# CloudWatch, PutMetricAlarm: of metrics, and of expressions.
_MOST_OF_A_KIND = 10
# Seconds that a period may be, besides whole minutes.
_SHORT_PERIODS = (10, 30)


def problems(template: Template) -> list[str]:
    """Where an alarm would stay silent, or CloudWatch would refuse it."""
    return [
        f"{name}: {problem}"
        for name, alarm in of_type(template, "AWS::CloudWatch::Alarm")
        for problem in [*_queries(alarm), *_metrics(template, alarm), *_times(template, alarm)]
    ]


def _metrics(template: Template, alarm: dict[str, Any]) -> Iterator[str]:
    for stat in _stats(alarm):
        yield from published.problems(template, stat.get("Metric", stat))


def _times(template: Template, alarm: dict[str, Any]) -> Iterator[str]:
    for stat in _stats(alarm):
        for period in numbers(template, stat.get("Period", "none")):
            if period.value not in _SHORT_PERIODS and not _whole_minutes(period.value):
                yield f"its period may be {period}; CloudWatch takes 10, 30 or a multiple of 60"
    for periods in numbers(template, alarm["EvaluationPeriods"]):
        for datapoints in numbers(template, alarm.get("DatapointsToAlarm", [])):
            if not 1 <= datapoints.value <= periods.value:
                yield f"its datapoints to alarm may be {datapoints} of {periods}"


def _whole_minutes(seconds: float) -> bool:
    return seconds > 0 and seconds % 60 == 0


def _stats(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Metrics with their periods; that of an alarm on a single metric is the alarm's own."""
    if "Metrics" not in alarm:
        return [alarm]
    return [part["MetricStat"] for part in _parts(alarm) if "MetricStat" in part]


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
