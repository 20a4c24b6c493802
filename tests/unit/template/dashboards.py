"""Whether dashboards show every alarm, and metrics that there are."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.unit.template import published
from tests.unit.template.rendering import text
from tests.unit.template.resources import Template, of_type

_IF = re.compile(r'\{"Fn::If": \["\w+", \{"Ref": "(\w+)"\}, "[^"]*"\]\}')
# A part of the body itself, with what is before it.
_IF_SUB = re.compile(r'\{"Fn::If": \["\w+", \{"Fn::Sub": ("(?:[^"\\]|\\.)*")\}, ""\]\}')


def problems(template: Template) -> list[str]:
    """Where a dashboard is not JSON, which CloudFormation lets pass, or has an empty widget."""
    dashboards = list(of_type(template, "AWS::CloudWatch::Dashboard"))
    shown: set[str] = set()
    found = [
        f"{name} {problem}"
        for name, dashboard in dashboards
        for problem in _of_body(template, dashboard["DashboardBody"], shown)
    ]
    alarms = {f"${{{name}.Arn}}" for name, _ in of_type(template, "AWS::CloudWatch::Alarm")}
    if shown != alarms:
        found.append(f"dashboards show others than all alarms: {sorted(shown ^ alarms)}")
    return found


def _of_body(template: Template, body: Any, shown: set[str]) -> Iterator[str]:
    try:
        # What is there under a condition is looked at as it is then.
        whole = _IF_SUB.sub(lambda part: json.loads(part[1]), _IF.sub(r"${\1}", text(body)))
        widgets = json.loads(whole)["widgets"]
    except json.JSONDecodeError as error:
        yield f"is not JSON: {error}"
        return
    shown.update(alarm for widget in widgets for alarm in widget["properties"].get("alarms", []))
    for widget in widgets:
        for row in widget["properties"].get("metrics", []):
            yield from published.problems(template, _metric(row))


def _metric(row: list[Any]) -> dict[str, Any]:
    """A metric of a widget as an alarm has it."""
    namespace, name, *dimensions = ({"Fn::Sub": word} for word in row if not isinstance(word, dict))
    pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": text(key), "Value": value} for key, value in pairs],
    }
