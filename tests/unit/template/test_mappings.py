from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.mappings import Reading, problems


def rides(predictor: str) -> set[str]:
    """Where a predictor reads: the stream itself, or as a consumer of its own."""
    consumer = f"${{{predictor}Consumer.ConsumerARN}}"
    return {f"{consumer} if FansOut", "${RideEvents.Arn} unless FansOut"}


# Durations are there from the first ride on; tips may be added to a stream that is in use.
READINGS = {
    "DurationFunctionRides": Reading("${DurationFunction}", rides("Duration"), "TRIM_HORIZON"),
    "TipFunctionRides": Reading("${TipFunction}", rides("Tip"), "${TipStartingPosition}"),
    "DecisionFunctionPredictions": Reading(
        "${DecisionFunction}", {"${RidePredictions.Arn}"}, "TRIM_HORIZON"
    ),
}
RIDES = "DurationFunctionRides"
TIPS = "TipFunctionRides"
PATTERN = {"Filters": [{"Pattern": '{"partitionKey": ["1"]}'}]}
OUTPUT = {"Fn::GetAtt": ["RidePredictions", "Arn"]}


def test_mappings_hand_every_ride_to_each_predictor(template: dict[str, Any]) -> None:
    """No ride is left out, and none is read twice by one predictor."""
    assert problems(template, READINGS) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{RIDES}/Enabled", False, f"{RIDES} is disabled"),
        (f"{RIDES}/Enabled", {"Ref": "Enabled"}, f"{RIDES} is disabled"),
        (f"{TIPS}/FilterCriteria", PATTERN, f"{TIPS} filters"),
        (f"{RIDES}/StartingPosition", "LATEST", f"{RIDES}.StartingPosition is ['LATEST']; it must"),
        (f"{RIDES}/StartingPosition", GONE, f"{RIDES}.StartingPosition is []; it must be ['TRIM"),
        (f"{TIPS}/StartingPosition", "LATEST", "it must be ['${TipStartingPosition}']"),
        (f"{TIPS}/FunctionName", {"Ref": "DurationFunction"}, f"{TIPS}.FunctionName is ["),
        (
            f"{TIPS}/EventSourceArn",
            OUTPUT,
            f"{TIPS}.EventSourceArn is ['${{RidePredictions.Arn}}']",
        ),
        ("Parameters/TipStartingPosition/AllowedValues", GONE, "may be ['anything']"),
        (
            "Parameters/TipStartingPosition/AllowedValues",
            ["LATEST", "AT_TIMESTAMP"],
            "TipStartingPosition may be ['AT_TIMESTAMP', 'LATEST']",
        ),
        (f"Resources/{TIPS}", GONE, f"{TIPS} is gone"),
        (
            "Resources/More",
            {"Type": "AWS::Lambda::EventSourceMapping"},
            "More is not on the list",
        ),
    ],
)
def test_problems_ride_that_is_passed_by_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A mapping that stands still, leaves rides out or begins elsewhere is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template, READINGS))
