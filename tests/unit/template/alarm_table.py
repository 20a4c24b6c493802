"""What each alarm watches and when it rings, against a table of all alarms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from tests.unit.template.rendering import choices, text
from tests.unit.template.resources import Template, of_type

# A key besides these, as a Unit that the metric does not have, can keep an alarm silent.
_OF_A_STAT = {"Metric", "Period", "Stat"}
_OF_A_PART = {"Expression", "Id", "Label", "MetricStat", "ReturnData"}
_OF_A_RESOURCE = {"Condition", "Properties", "Type"}
_OF_A_METRIC = {"Dimensions", "MetricName", "Namespace", "Period", "Statistic"}
_OF_AN_ALARM = {
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "Metrics",
    "OKActions",
    "Threshold",
    "TreatMissingData",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One alarm.

    Attributes:
        watches: The expression; of an alarm on a single metric, its statistic.
        comparison: Of that with the threshold.
        threshold: From which on, or above which, the alarm rings.
        period: In seconds, of every metric.
        evaluations: Periods that are looked at.
        datapoints: Periods of these that must be over the threshold.
        condition: Under which it is there; None is always.
        missing: What a period without data counts as.
        metrics: By ID, which an alarm on a single metric does not have.
    """

    watches: str
    comparison: str = "GreaterThanThreshold"
    threshold: str = "0"
    period: str = "60"
    evaluations: str
    datapoints: str
    missing: str = "notBreaching"
    condition: str | None = None
    metrics: Mapping[str, str]


def problems(template: Template, listed: Mapping[str, Watch]) -> list[str]:
    """Where a template's alarms are others than the table says."""
    alarms = dict(of_type(template, "AWS::CloudWatch::Alarm"))
    return [
        *(f"{name} is not on the list" for name in alarms.keys() - listed.keys()),
        *(f"{name} is on the list and not in the template" for name in listed.keys() - alarms),
        *(
            f"{name}{problem}"
            for name in alarms.keys() & listed.keys()
            for problem in [
                *_unknown_keys(template["Resources"][name], alarms[name]),
                *_differences(watch_of(template["Resources"][name]), listed[name]),
            ]
        ),
    ]


def _unknown_keys(resource: Mapping[str, Any], alarm: Mapping[str, Any]) -> Iterator[str]:
    parts = [part for part, _ in choices(alarm.get("Metrics", []))]
    known = _OF_AN_ALARM if "Metrics" in alarm else _OF_AN_ALARM | _OF_A_METRIC
    unknown = [
        *(resource.keys() - _OF_A_RESOURCE),
        *(alarm.keys() - known),
        *(key for part in parts for key in part.keys() - _OF_A_PART),
        *(key for part in parts for key in part.get("MetricStat", {}).keys() - _OF_A_STAT),
    ]
    yield from (f" has a {key}" for key in unknown)


def _differences(found: Watch, listed: Watch) -> Iterator[str]:
    for field in fields(Watch):
        is_, must_be = getattr(found, field.name), getattr(listed, field.name)
        if is_ != must_be:
            yield f".{field.name} is {is_}; it must be {must_be}"


def watch_of(resource: Mapping[str, Any]) -> Watch:
    """What an alarm watches and when it rings."""
    alarm = resource.get("Properties", {})
    parts = choices(alarm.get("Metrics", []))
    expressions = [part["Expression"] + when for part, when in parts if "Expression" in part]
    stats = {part["Id"]: (part["MetricStat"], when) for part, when in parts if "MetricStat" in part}
    if "Metrics" not in alarm:
        expressions = [text(alarm.get("Statistic"))]
        stats = {"": ({**alarm, "Metric": alarm, "Stat": alarm.get("Statistic")}, "")}
    return Watch(
        watches=", ".join(expressions),
        comparison=text(alarm["ComparisonOperator"]),
        threshold=text(alarm.get("Threshold")),
        period=", ".join(sorted({text(stat.get("Period")) for stat, _ in stats.values()})),
        evaluations=text(alarm["EvaluationPeriods"]),
        datapoints=text(alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])),
        condition=resource.get("Condition"),
        missing=text(alarm.get("TreatMissingData", "missing")),
        metrics={key: _metric(stat) + when for key, (stat, when) in stats.items()},
    )


def _metric(stat: Mapping[str, Any]) -> str:
    metric = stat["Metric"]
    of = [f"{item['Name']} {text(item['Value'])}" for item in metric.get("Dimensions", [])]
    name = f"{text(metric.get('Namespace'))} {text(metric.get('MetricName'))}"
    return f"{text(stat['Stat'])} of {name} of {', '.join(of)}"
