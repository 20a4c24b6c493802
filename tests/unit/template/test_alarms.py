from typing import Any

import pytest

from tests.unit.template.alarms import problems
from tests.unit.template.changes import GONE, change

BEHIND = "BehindAlarm/Metrics/durationAge"
AGE = f"{BEHIND}/MetricStat/Metric"
BAD = "RejectionsAlarm/Metrics/durationRejections/MetricStat/Metric"
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
        (f"{BAD}/MetricName", "Rejected", "nobody publishes RidePredictions/${AWS::Stack"),
        (f"{BAD}/Dimensions", GONE, "has no dimensions {}, but {'Model': 'MODEL_NAME'}"),
        (f"{BAD}/Dimensions/0/Value", "duration", "has no dimensions {'Model': 'duration'}"),
        (f"{BAD}/Dimensions/0/Name", "Name", "has no dimensions {'Name': 'ride_duration_"),
        ("Rejections/MetricTransformations/0/Dimensions", GONE, "prediction_model'}, but {}"),
        (
            "TipFunction/Environment/Variables/MODEL_NAME",
            "tip",
            "has no dimensions {'Model': 'ride_tip_prediction_model'}, but {'Model': 'MODEL_NAME'}",
        ),
        (f"{BEHIND}/MetricStat/Period", 45, "BehindAlarm: its period may be 45; CloudWatch takes"),
        (f"{BEHIND}/MetricStat/Period", 90, "its period may be 90"),
        (f"{BEHIND}/MetricStat/Period", 0, "its period may be 0"),
        (f"{BEHIND}/MetricStat/Period", GONE, "its period may be nan"),
        (f"{OUTPUT}/Period", 61, f"{OUTPUT}: its period may be 61"),
        (f"{OUTPUT}/Period", {"Ref": "BatchSize"}, "may be 1000 (default of BatchSize)"),
        ("BehindAlarm/DatapointsToAlarm", 6, "its datapoints to alarm may be 6 of 5"),
        ("BehindAlarm/DatapointsToAlarm", 0, "its datapoints to alarm may be 0 of 5"),
        ("BehindAlarm/EvaluationPeriods", 2, "its datapoints to alarm may be 3 of 2"),
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


@pytest.mark.parametrize("seconds", [10, 30, 60, 86400])
def test_problems_period_that_cloudwatch_takes_is_fine(
    template: dict[str, Any], seconds: int
) -> None:
    """Parts of a minute for metrics that have them, and whole minutes."""
    change(template, f"{OUTPUT}/Period", seconds)
    change(template, f"{OUTPUT}/DatapointsToAlarm", GONE)

    assert problems(template) == []
