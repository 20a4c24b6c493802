import json
import re
from typing import Any

import pytest

from tests.unit.template.alarms import problems
from tests.unit.template.changes import GONE, change
from tests.unit.template.rendering import text

BEHIND = "BehindAlarm/Metrics/durationAge"
AGE = f"{BEHIND}/MetricStat/Metric"
POLLED = "StalledAlarm/Metrics/durationPolled"
WATCHED = "StalledAlarm/Metrics/watched"
OUTPUT = "OutputThrottledAlarm"
STAT = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors"}}
TIP = "BehindAlarm/Metrics/2/Fn::If/1"


def test_alarms_watch_what_exists(template: dict[str, Any]) -> None:
    """No alarm is silent because its metric, or what the metric is of, has another name."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{AGE}/Dimensions/0/Value", {"Ref": "Other"}, "BehindAlarm: AWS/Lambda IteratorAge has"),
        (f"{AGE}/Dimensions/0/Value", {"Ref": "RideEvents"}, "IteratorAge has no dimensions"),
        (f"{AGE}/Dimensions/0/Value", "DurationFunction", "IteratorAge has no dimensions"),
        (f"{AGE}/Dimensions/0/Name", "Function", "has no dimensions {'Function': "),
        (f"{AGE}/Dimensions", GONE, "has no dimensions {}, but {'FunctionName': "),
        (f"{AGE}/MetricName", "IteratorAges", "nobody publishes AWS/Lambda IteratorAges"),
        (f"{AGE}/Namespace", "AWS/Kinesis", "nobody publishes AWS/Kinesis IteratorAge"),
        (f"{POLLED}/MetricStat/Metric/Dimensions/0/Value", {"Ref": "TipFunction"}, "Mapping'}"),
        (
            f"{TIP}/MetricStat/Metric/Dimensions/0/Value",
            {"Ref": "Other"},
            "BehindAlarm: AWS/Lambda",
        ),
        (f"{OUTPUT}/Dimensions/0/Value", {"Ref": "RideStreamName"}, f"{OUTPUT}: AWS/Kinesis Write"),
        (f"{OUTPUT}/MetricName", "WriteThrottled", "nobody publishes AWS/Kinesis WriteThrottled"),
        ("RejectionsAlarm/MetricName", "Rejected", "nobody publishes RidePredictions/${AWS::Stack"),
        ("Rejections/MetricTransformations/0/MetricName", "Rejected", "nobody publishes Ride"),
        (f"{BEHIND}/ReturnData", GONE, "['watched', 'durationAge'] return data; exactly one must"),
        ("BehindAlarm/Metrics/watched/ReturnData", False, "BehindAlarm: [] return data"),
        (f"{TIP}/Id", "durationAge", "an id comes twice"),
        (f"{WATCHED}/Expression", "IF(arriving > 0, 1, 0)", "arriving is not the id of a metric"),
        (f"{WATCHED}/Expression", "incoming - tipPolled", "tipPolled is not the id of a metric"),
        (f"{WATCHED}/Expression", 'SUM(METRICS("Read"))', "no metric has Read in its id"),
        (f"{POLLED}/Id", "durationRead", "no metric has Polled in its id"),
        (
            "BehindAlarm/Metrics",
            [{"Id": f"m{n}", "MetricStat": STAT} for n in range(11)],
            "than 10",
        ),
    ],
)
def test_problems_alarm_that_cannot_ring_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """An alarm on a name that nobody publishes, or that CloudWatch refuses, is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))


def test_dashboard_is_json_and_shows_every_alarm(template: dict[str, Any]) -> None:
    """CloudFormation takes any text for a dashboard; CloudWatch takes JSON."""
    body = text(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"])

    shown = json.loads(re.sub(r'\{"Fn::If": .*?\]\}', "either", body))["widgets"][0]["properties"]

    alarms = {
        f"${{{name}.Arn}}"
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert set(shown["alarms"]) == alarms
