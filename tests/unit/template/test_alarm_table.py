from typing import Any

import pytest

from tests.unit.template.alarm_table import Watch, problems
from tests.unit.template.changes import GONE, change

REJECTIONS = "Sum of RidePredictions/${AWS::StackName} Rejections of Model"


def of_functions(what: str, metric: str, stat: str = "Sum") -> dict[str, str]:
    metric = f"{stat} of AWS/Lambda {metric} of FunctionName"
    return {
        f"duration{what}": f"{metric} ${{DurationFunction}}",
        f"tip{what}": f"{metric} ${{TipFunction}} if PredictsTips",
        f"decision{what}": f"{metric} ${{DecisionFunction}} if DecidesOnRides",
    }


DECISIONS = {"decision": "${DecisionFunctionPredictions} if DecidesOnRides"}


def of_mappings(what: str, metric: str, **others: str) -> dict[str, str]:
    metric = f"Sum of AWS/Lambda {metric} of EventSourceMappingUUID"
    return {
        **{f"{name}{what}": f"{metric} {mapping}" for name, mapping in others.items()},
        f"duration{what}": f"{metric} ${{DurationFunctionRides}}",
        f"tip{what}": f"{metric} ${{TipFunctionRides}} if PredictsTips",
    }


# All that anybody is called for. Whoever changes it says so here.
ALARMS = {
    "BehindAlarm": Watch(
        watches="MAX(METRICS())",
        threshold="300000",
        evaluations="5",
        datapoints="3",
        metrics=of_functions("Age", "IteratorAge", "Maximum"),
    ),
    "StalledAlarm": Watch(
        watches='IF(incoming > 0 AND MIN(FILL(METRICS("Polled"), 0)) == 0, 1, 0)',
        period="300",
        evaluations="2",
        datapoints="2",
        metrics={
            "incoming": "Sum of AWS/Kinesis IncomingRecords of StreamName ${RideEvents}",
            **of_mappings("Polled", "PolledEventCount"),
        },
    ),
    "ErrorsAlarm": Watch(
        watches="SUM(METRICS())",
        evaluations="5",
        datapoints="3",
        metrics=of_functions("Errors", "Errors"),
    ),
    "BatchFailedAlarm": Watch(
        watches="Sum",
        period="300",
        evaluations="1",
        datapoints="1",
        metrics={"": "Sum of AWS/Lambda Errors of FunctionName ${BatchFunction}"},
        condition="ScoresFiles",
    ),
    "ThrottlesAlarm": Watch(
        watches="SUM(METRICS())",
        evaluations="5",
        datapoints="3",
        metrics=of_functions("Throttles", "Throttles"),
    ),
    "RejectionsAlarm": Watch(
        watches="MAX(METRICS())",
        comparison="GreaterThanOrEqualToThreshold",
        threshold="${RejectionsBeforeAlarm}",
        period="300",
        evaluations="1",
        datapoints="1",
        metrics={
            "durationRejections": f"{REJECTIONS} ride_duration_prediction_model",
            "tipRejections": f"{REJECTIONS} ride_tip_prediction_model if PredictsTips",
            "decisionRejections": f"{REJECTIONS} ride_decision if DecidesOnRides",
        },
    ),
    "OutputThrottledAlarm": Watch(
        watches="Sum",
        evaluations="5",
        datapoints="3",
        metrics={
            "": "Sum of AWS/Kinesis WriteProvisionedThroughputExceeded of StreamName"
            " ${RidePredictions}"
        },
    ),
    "GivenUpAlarm": Watch(
        watches="SUM(METRICS())",
        evaluations="1",
        datapoints="1",
        metrics={
            **of_mappings("Delivered", "OnFailureDestinationDeliveredEventCount", **DECISIONS),
            **of_mappings("Dropped", "DroppedEventCount", **DECISIONS),
        },
    ),
    "UndeliveredAlarm": Watch(
        watches="SUM(METRICS())",
        evaluations="1",
        datapoints="1",
        metrics=of_functions("Undelivered", "DestinationDeliveryFailures"),
    ),
    "DecisionsStalledAlarm": Watch(
        watches="IF(incoming > 0 AND (FILL(polled, 0) == 0 OR FILL(ticks, 0) == 0), 1, 0)",
        period="300",
        evaluations="2",
        datapoints="2",
        condition="DecidesOnRides",
        metrics={
            "incoming": "Sum of AWS/Kinesis IncomingRecords of StreamName ${RidePredictions}",
            "polled": "Sum of AWS/Lambda PolledEventCount of EventSourceMappingUUID"
            " ${DecisionFunctionPredictions}",
            "ticks": "Sum of AWS/Events Invocations of RuleName ${DecisionFunctionTick}",
        },
    ),
    "UndecidedAlarm": Watch(
        watches="Sum",
        period="300",
        evaluations="1",
        datapoints="1",
        condition="DecidesOnRides",
        metrics={"": "Sum of RidePredictions/${AWS::StackName} Undecided of Model ride_decision"},
    ),
    "DecisionsThrottledAlarm": Watch(
        watches="Sum",
        evaluations="5",
        datapoints="3",
        condition="DecidesOnRides",
        metrics={
            "": "Sum of AWS/Kinesis WriteProvisionedThroughputExceeded of StreamName"
            " ${RideDecisions}"
        },
    ),
}
AGE = "BehindAlarm/Metrics/durationAge"
NOTHING = {"Ref": "AWS::NoValue"}


def test_alarms_are_those_of_the_table(template: dict[str, Any]) -> None:
    """What every alarm watches, and when it rings, was decided on."""
    assert problems(template, ALARMS) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("BehindAlarm/Threshold", 300, "BehindAlarm.threshold is 300; it must be 300000"),
        ("RejectionsAlarm/Threshold", 10, "RejectionsAlarm.threshold is 10; it must be ${"),
        ("ErrorsAlarm/ComparisonOperator", "LessThanThreshold", "ErrorsAlarm.comparison is Less"),
        ("BehindAlarm/Metrics/watched/Expression", "MIN(METRICS())", "watches is MIN(METRICS())"),
        ("RejectionsAlarm/Metrics/watched/Expression", "durationRejections", "watches is duration"),
        (
            "BehindAlarm/Metrics/watched",
            {"Fn::If": ["A", {"Id": "watched", "Expression": "MAX(METRICS())"}, NOTHING]},
            "watches is MAX(METRICS()) if A",
        ),
        ("OutputThrottledAlarm/Statistic", "Minimum", "OutputThrottledAlarm.watches is Minimum"),
        (f"{AGE}/MetricStat/Stat", "Average", "'durationAge': 'Average of AWS/Lambda IteratorAge"),
        (
            f"{AGE}/MetricStat/Metric/MetricName",
            "Duration",
            "'durationAge': 'Maximum of AWS/Lambda",
        ),
        (f"{AGE}/MetricStat/Period", 120, "BehindAlarm.period is 120, 60; it must be 60"),
        ("OutputThrottledAlarm/Period", 3600, "OutputThrottledAlarm.period is 3600"),
        ("ErrorsAlarm/EvaluationPeriods", 50, "ErrorsAlarm.evaluations is 50; it must be 5"),
        ("ErrorsAlarm/DatapointsToAlarm", GONE, "ErrorsAlarm.datapoints is 5; it must be 3"),
        ("ErrorsAlarm/TreatMissingData", "ignore", "ErrorsAlarm.missing is ignore"),
        ("ErrorsAlarm/TreatMissingData", GONE, "ErrorsAlarm.missing is missing"),
        ("ErrorsAlarm/Metrics/durationErrors", GONE, "ErrorsAlarm.metrics is {'tipErrors'"),
        ("GivenUpAlarm/Metrics/durationDropped", GONE, "GivenUpAlarm.metrics is {"),
        ("ErrorsAlarm/Metrics/2/Fn::If/1", NOTHING, "ErrorsAlarm.metrics is {'durationErrors'"),
        ("ErrorsAlarm/Metrics/2/Fn::If/0", "HasTipModelId", "${TipFunction} if HasTipModelId'"),
        (
            "RejectionsAlarm/Metrics/2/Fn::If/1/MetricStat/Metric/Dimensions/0/Value",
            "ride_duration_prediction_model",
            "RejectionsAlarm.metrics is {",
        ),
        ("StalledAlarm/Metrics/3/Fn::If/1/Id", "tipRead", "StalledAlarm.metrics is {"),
        ("OutputThrottledAlarm/Unit", "Seconds", "OutputThrottledAlarm has a Unit"),
        ("OutputThrottledAlarm/ExtendedStatistic", "p1", "has a ExtendedStatistic"),
        ("ErrorsAlarm/Statistic", "Sum", "ErrorsAlarm has a Statistic"),
        (f"{AGE}/MetricStat/Unit", "Seconds", "BehindAlarm has a Unit"),
        (f"{AGE}/AccountId", "123456789012", "BehindAlarm has a AccountId"),
        (
            "Resources/ErrorsAlarm/Condition",
            "PredictsTips",
            "ErrorsAlarm.condition is PredictsTips",
        ),
        ("Resources/ErrorsAlarm", GONE, "ErrorsAlarm is on the list and not in the template"),
        ("Resources/More", {"Type": "AWS::CloudWatch::Alarm"}, "More is not on the list"),
    ],
)
def test_problems_change_of_an_alarm_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """An alarm that rings later, on something else, or not at all is said with its name."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template, ALARMS))
