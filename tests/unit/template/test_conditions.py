from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.conditions import problems


def is_set(parameter: str) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


CONDITIONS = {
    "Provisioned": {"Fn::Equals": [{"Ref": "StreamMode"}, "PROVISIONED"]},
    "PredictsTips": is_set("TipRunId"),
    "FansOut": {"Fn::Equals": [{"Ref": "EnhancedFanOut"}, "True"]},
    "FansTipsOut": {"Fn::And": [{"Condition": "FansOut"}, {"Condition": "PredictsTips"}]},
    "DecidesOnRides": {
        "Fn::And": [
            {"Condition": "PredictsTips"},
            {"Fn::Equals": [{"Ref": "Decides"}, "True"]},
        ]
    },
    "TellsSomebody": is_set("AlarmEmail"),
    "HasModelId": is_set("ModelId"),
    "HasTipModelId": is_set("TipModelId"),
    "WasReleased": is_set("PreviousRelease"),
    "ScoresFiles": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BatchSchedule"}, "off"]}]},
    "EveryHalfHour": {"Fn::Equals": [{"Ref": "BatchSchedule"}, "half-hourly"]},
}
CONDITIONAL = {
    "PredictsTips": {"TipFunction", "TipFunctionRides", "TipRole"},
    "FansOut": {"DurationConsumer"},
    "FansTipsOut": {"TipConsumer"},
    "DecidesOnRides": {
        "DecisionCases",
        "DecisionDashboard",
        "DecisionFunction",
        "DecisionFunctionPredictions",
        "DecisionFunctionTick",
        "DecisionFunctionTickPermission",
        "DecisionRole",
        "DecisionsStalledAlarm",
        "DecisionsThrottledAlarm",
        "RideDecisions",
        "UndecidedAlarm",
    },
    "TellsSomebody": {"AlarmSubscription"},
    "ScoresFiles": {
        "BatchFunction",
        "BatchRole",
        "BatchTimer",
        "BatchTimerRole",
        "BatchFailedAlarm",
    },
}


def test_template_leaves_out_what_is_optional_only(template: dict[str, Any]) -> None:
    """The second predictor, decisions and the mail are; no policy and no bucket is."""
    assert problems(template, CONDITIONS, CONDITIONAL) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("Conditions/PredictsTips", is_set("RunId"), "PredictsTips is {"),
        ("Conditions/PredictsTips", {"Fn::Equals": [{"Ref": "TipRunId"}, ""]}, "PredictsTips is {"),
        ("Conditions/More", is_set("RunId"), "More is {"),
        ("Conditions/HasModelId", GONE, "HasModelId is None"),
        (
            "Resources/FailuresBucketPolicy/Condition",
            "PredictsTips",
            "FailuresBucketPolicy is under PredictsTips; it must be under None",
        ),
        ("Resources/TipRole/Condition", GONE, "TipRole is under None; it must be under Predicts"),
        ("Resources/AlarmSubscription", GONE, "AlarmSubscription is under None; it must be under"),
    ],
)
def test_problems_change_of_a_condition_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A safeguard that is deployed sometimes, and a predictor that is not asked for, is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template, CONDITIONS, CONDITIONAL))
