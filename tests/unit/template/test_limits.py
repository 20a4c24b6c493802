from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.limits import problems
from tests.unit.template.possible import Possible, numbers

RIDES = "DurationFunctionRides"
TIMER = "BatchTimer/Target"


def test_template_stays_within_the_limits_of_aws(template: dict[str, Any]) -> None:
    """Whatever its parameters may be set to, AWS takes it."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{RIDES}/BatchSize", 20000, f"{RIDES}.BatchSize may be 20000; AWS takes 1 to 10000"),
        (f"{RIDES}/BatchSize", "20000", "BatchSize may be 20000; AWS takes 1 to 10000"),
        ("Parameters/BatchSize/Default", 20000, "may be 20000 (default of BatchSize); AWS takes"),
        ("Parameters/BatchSize/MaxValue", 20000, "may be 20000 (MaxValue of BatchSize); AWS takes"),
        ("Parameters/BatchSize/MaxValue", GONE, "may be inf (MaxValue of BatchSize); AWS takes"),
        ("Parameters/BatchSize/MinValue", 0, "may be 0 (MinValue of BatchSize); AWS takes"),
        ("Parameters/BatchSize/AllowedValues", [5, 20000], "20000 (allowed value of BatchSize)"),
        ("Parameters/BatchSize/MaxValue", 8988, "8988 (MaxValue of BatchSize); 6 MB hold 8987"),
        (f"{RIDES}/BatchSize", {"Fn::If": ["Big", 20000, 5]}, "may be 20000; AWS takes"),
        (f"{RIDES}/BatchSize", {"Fn::Select": [0, [5]]}, "may be nan"),
        (f"{RIDES}/MaximumBatchingWindowInSeconds", 301, "may be 301; AWS takes 0 to 300"),
        (f"{RIDES}/ParallelizationFactor", 11, "may be 11; AWS takes 1 to 10"),
        (f"{RIDES}/MaximumRetryAttempts", 10001, "may be 10001; AWS takes -1 to 10000"),
        (f"{RIDES}/MaximumRecordAgeInSeconds", 604801, "may be 604801; AWS takes -1 to 604800"),
        (f"{RIDES}/MaximumRecordAgeInSeconds", 59, "may be 59; AWS takes 60 or more"),
        (f"{RIDES}/MaximumRecordAgeInSeconds", 86400, "may keep records for 86400 seconds only"),
        (f"{RIDES}/MaximumRecordAgeInSeconds", GONE, "may be -1; its stream may keep records"),
        ("Parameters/RetentionHours/MinValue", 1, "may keep records for 3600 seconds only"),
        (f"{RIDES}/TumblingWindowInSeconds", 901, "may be 901; AWS takes 0 to 900"),
        (f"{RIDES}/StartingPosition", "FIRST", "StartingPosition may be FIRST; AWS takes TRIM_"),
        (f"{RIDES}/FunctionResponseTypes", ["Report"], "may be Report; AWS takes ReportBatchItem"),
        (f"{RIDES}/MetricsConfig/Metrics", ["All"], "MetricsConfig.Metrics may be All; AWS takes"),
        ("TipFunction/Timeout", 901, "TipFunction.Timeout may be 901; AWS takes 1 to 900"),
        ("TipFunction/Timeout", 0, "Timeout may be 0; AWS takes 1 to"),
        (
            "Parameters/MemorySize/MaxValue",
            10241,
            "TipFunction.MemorySize may be 10241 (MaxValue of",
        ),
        ("Parameters/MemorySize/MinValue", 127, "may be 127 (MinValue of MemorySize)"),
        ("TipFunction/EphemeralStorage", {"Size": 10241}, "EphemeralStorage.Size may be 10241"),
        ("TipFunction/Architectures", ["x86_64", "arm64"], "Architectures has 2 members"),
        ("TipFunction/Description", "x" * 257, "Description has 257 characters"),
        ("Parameters/RetentionHours/MaxValue", 8761, "RidePredictions.RetentionPeriodHours may be"),
        ("Parameters/ShardCount/MinValue", 0, "RideEvents.ShardCount may be 0"),
        ("LogGroup/RetentionInDays", 31, "LogGroup.RetentionInDays may be 31"),
    ],
)
def test_problems_value_out_of_limits_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A number that AWS refuses is found where it stands, and where a parameter lets it in."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))


def test_problems_values_at_the_limits_are_fine(template: dict[str, Any]) -> None:
    """Forever, the longest window and the least memory are within the limits."""
    change(template, f"{RIDES}/MaximumRetryAttempts", -1)
    change(template, f"{RIDES}/MaximumRecordAgeInSeconds", 60)
    change(template, f"{RIDES}/TumblingWindowInSeconds", 900)
    change(template, "Parameters/BatchSize/MaxValue", 8987)
    change(template, "Parameters/MemorySize/MinValue", 128)
    change(template, "TipFunction/Timeout", 900)

    assert problems(template) == []


def test_numbers_of_a_parameter_are_those_at_its_ends() -> None:
    """What somebody may set counts as much as what is set."""
    template = {"Parameters": {"Size": {"Default": "10", "MinValue": 1, "MaxValue": 20}}}

    assert numbers(template, {"Fn::If": ["Big", {"Ref": "Size"}, 7]}) == [
        Possible(10, " (default of Size)"),
        Possible(1, " (MinValue of Size)"),
        Possible(20, " (MaxValue of Size)"),
        Possible(7),
    ]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{TIMER}/RetryPolicy/MaximumRetryAttempts", 186, "may be 186; AWS takes 0 to 185"),
        (f"{TIMER}/RetryPolicy/MaximumEventAgeInSeconds", 59, "may be 59; AWS takes 60 to 86400"),
        ("BatchTimer/FlexibleTimeWindow/Mode", "ON", "Mode may be ON; AWS takes OFF, FLEXIBLE"),
        ("BatchTimer/Description", "x" * 513, "Description has 513 characters"),
        ("BatchFunction/EphemeralStorage/Size", 511, "EphemeralStorage.Size may be 511"),
        ("BatchFunction/Timeout", 901, "BatchFunction.Timeout may be 901; AWS takes 1 to 900"),
    ],
)
def test_problems_batch_out_of_limits_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """What starts batch scoring, and how long that may take, are held to AWS's limits, too."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))
