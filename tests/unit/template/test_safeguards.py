from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.safeguards import problems

RIDES = "DurationFunctionRides"


def test_template_has_every_safeguard(template: dict[str, Any]) -> None:
    """Nothing is lost silently, and nothing is open or kept forever."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{RIDES}/DestinationConfig", GONE, f"{RIDES}: what it gives up goes to nowhere"),
        (f"{RIDES}/DestinationConfig/OnFailure/Destination", "arn:aws:s3:::x", "goes to arn:aws"),
        (f"{RIDES}/DestinationConfig/OnFailure/Destination", {"Ref": "Other"}, "goes to ${Other}"),
        (f"{RIDES}/FunctionResponseTypes", GONE, "FunctionResponseTypes is None; it must be"),
        (f"{RIDES}/BisectBatchOnFunctionError", False, "is False; it must be True"),
        (
            f"{RIDES}/MetricsConfig",
            GONE,
            "MetricsConfig.Metrics is None; it must be ['EventCount']",
        ),
        (f"{RIDES}/MaximumRetryAttempts", GONE, "MaximumRetryAttempts may be -1, which has no end"),
        (f"{RIDES}/MaximumRecordAgeInSeconds", -1, "MaximumRecordAgeInSeconds may be -1, which"),
        ("RideEvents/StreamEncryption", GONE, "RideEvents.StreamEncryption.EncryptionType is None"),
        ("RidePredictions/RetentionPeriodHours", GONE, "RetentionPeriodHours is missing"),
        ("LogGroup/RetentionInDays", GONE, "LogGroup.RetentionInDays is missing"),
        ("TipFunction/LoggingConfig", GONE, "TipFunction logs to a group that Lambda makes"),
        ("StalledAlarm/AlarmActions", [], "StalledAlarm acts on nothing; it must be the topic"),
        ("StalledAlarm/AlarmActions", ["arn:aws:sns:r:1:x"], "StalledAlarm acts on arn:aws:sns"),
        ("StalledAlarm/ActionsEnabled", False, "StalledAlarm is silenced"),
    ],
)
def test_problems_missing_safeguard_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A safeguard that is taken away is found, with what lacks it."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))
