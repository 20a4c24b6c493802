"""Alarms and dashboards against each other and against the metrics that the template publishes."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from tests.unit.template.rendering import text

OWN = "RidePredictions/${AWS::StackName}"


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of a type, by logical ID."""
    resources = template["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == kind}


def published(template: dict[str, Any]) -> set[tuple[str, ...]]:
    """Return name and dimensions of each metric that a metric filter makes of the log."""
    return {
        (metric["MetricName"], *(dimension["Key"] for dimension in metric["Dimensions"]))
        for filter_ in of_type(template, "AWS::Logs::MetricFilter").values()
        for metric in filter_["MetricTransformations"]
        if text(metric["MetricNamespace"]) == OWN
    }


def dashboards(template: dict[str, Any], *, optional: bool) -> list[list[dict[str, Any]]]:
    """Return each dashboard's widgets, with or without its optional ones."""
    bodies = of_type(template, "AWS::CloudWatch::Dashboard").values()
    return [_widgets(each["DashboardBody"]["Fn::Sub"], optional=optional) for each in bodies]


def _widgets(body: Any, *, optional: bool) -> list[dict[str, Any]]:
    pattern, variables = (body, {}) if isinstance(body, str) else body
    for name, value in variables.items():
        chosen = value["Fn::If"][1 if optional else 2]
        pattern = pattern.replace(f"${{{name}}}", text(chosen))
    widgets: list[dict[str, Any]] = json.loads(pattern)["widgets"]
    return widgets


def of_own_metrics(template: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the metrics of this project that alarms watch and dashboards show."""
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        for metric in [alarm, *(part["MetricStat"]["Metric"] for part in stats(alarm))]:
            if text(metric.get("Namespace")) == OWN:
                yield metric["MetricName"], *(each["Name"] for each in metric["Dimensions"])
    for widget in chain(*dashboards(template, optional=True)):
        for namespace, *row in widget["properties"].get("metrics", []):
            if namespace == OWN:
                yield row[0], *row[1:-2:2]


def stats(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of an alarm on metric math."""
    return [part for part in alarm.get("Metrics", []) if "MetricStat" in part]


def test_own_metrics_are_published_by_the_metric_filters(template: dict[str, Any]) -> None:
    """An alarm or a widget on a metric that no filter makes would stay empty."""
    assert set(of_own_metrics(template)) == published(template)


def test_dashboards_show_every_alarm(template: dict[str, Any]) -> None:
    """An alarm that is added is on a dashboard, too."""
    alarms = {f"${{{name}.Arn}}" for name in of_type(template, "AWS::CloudWatch::Alarm")}
    shown = [
        alarm
        for widget in chain(*dashboards(template, optional=True))
        for alarm in widget["properties"].get("alarms", [])
    ]

    assert sorted(shown) == sorted(alarms)


@pytest.mark.parametrize("optional", [True, False])
def test_dashboard_is_json_with_and_without_its_optional_widgets(
    template: dict[str, Any], optional: bool
) -> None:
    """CloudFormation accepts any text as a dashboard; CloudWatch needs JSON, one widget a place."""
    for widgets in dashboards(template, optional=optional):
        places = [(widget["x"], widget["y"]) for widget in widgets]
        assert len(set(places)) == len(places) > 0


def test_expressions_name_metrics_of_their_alarm(template: dict[str, Any]) -> None:
    """A name in an expression of an alarm is the ID of one of its metrics."""
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        ids = {part["Id"] for part in stats(alarm)}
        expressions = [
            part["Expression"] for part in alarm.get("Metrics", []) if "Expression" in part
        ]
        assert {
            word for text_ in expressions for word in re.findall(r"\b[a-z]\w*", text_)
        } <= ids, name
