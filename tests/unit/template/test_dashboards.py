from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.dashboards import problems


def test_dashboard_shows_what_there_is(template: dict[str, Any]) -> None:
    """CloudFormation takes any text for a dashboard; CloudWatch takes JSON."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('{"widgets"', '"widgets"', "Dashboard is not JSON"),
        ('"${StalledAlarm.Arn}", ', "", "others than all alarms: ['${StalledAlarm.Arn}']"),
        ("${StalledAlarm.Arn}", "${Alarms}", "others than all alarms: ['${Alarms}'"),
        ('"IteratorAge"', '"IteratorAges"', "nobody publishes AWS/Lambda IteratorAges"),
        ('"StreamName"', '"Stream"', "IncomingRecords has no dimensions {'Stream': "),
        ("${DurationFunction}", "${RideEvents}", "has no dimensions {'FunctionName': "),
        (
            '"Model", "ride_tip_prediction_model", ',
            "",
            "Rejections has no dimensions {}, but {'Model': ",
        ),
        ("ride_tip_prediction_model", "ride_tip", "no dimensions {'Model': 'ride_tip'}"),
    ],
)
def test_problems_empty_widget_is_named(
    template: dict[str, Any], old: str, new: str, message: str
) -> None:
    """A dashboard that CloudWatch refuses, or that shows less than it seems to, is found."""
    words, variables = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert old in words
    body = {"Fn::Sub": [words.replace(old, new), variables]}
    change(template, "Dashboard/DashboardBody", body)

    assert any(message in problem for problem in problems(template))


def test_problems_new_alarm_is_to_be_shown(template: dict[str, Any]) -> None:
    """An alarm that is added, or taken away, is so on the dashboard, too."""
    change(template, "Resources/ErrorsAlarm", GONE)
    change(template, "Resources/More", {"Type": "AWS::CloudWatch::Alarm"})

    (problem,) = problems(template)

    assert "['${ErrorsAlarm.Arn}', '${More.Arn}']" in problem
