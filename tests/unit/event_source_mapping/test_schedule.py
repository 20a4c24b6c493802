from collections.abc import Mapping
from typing import Any

import pytest

from event_source_mapping.environment import ACCOUNT, REGION
from event_source_mapping.function import FunctionFailed
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.rates import rate_seconds
from event_source_mapping.schedule import Schedule
from tests.polling import until


class Ticked:
    """A function that notes what it is given, and fails the first time."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []

    def invoke(self, event: Mapping[str, Any]) -> Any:
        self.events.append(event)
        if len(self.events) == 1:
            raise FunctionFailed("the first time")


def test_schedule_invokes_again_and_again_until_it_is_stopped() -> None:
    """A function gets EventBridge's event each time, also after it has failed."""
    function = Ticked()
    schedule = Schedule("Tick", function, 0.01)

    schedule.start()
    until(lambda: len(function.events) >= 3)
    schedule.stop()
    seen = len(function.events)

    assert {event["source"] for event in function.events} == {"aws.events"}
    assert {event["detail-type"] for event in function.events} == {"Scheduled Event"}
    assert function.events[0]["resources"] == [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/Tick"]
    assert len(function.events) == seen


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(2 hours)", 7200),
        ("rate(1 day)", 86400),
    ],
)
def test_rate_seconds_is_how_often_a_schedule_comes(rate: str, seconds: int) -> None:
    """Rates are in minutes, hours and days."""
    assert rate_seconds("Tick", {"Schedule": rate}) == seconds


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "Tick: Schedule is None; the local stack knows rate"),
        ({"Schedule": "rate(0 minutes)"}, "Schedule is 'rate"),
        ({"Schedule": "cron(0 10 * * ? *)"}, "Schedule is 'cron"),
        ({"Schedule": "rate(1 minute)", "Input": "{}"}, "does not know Input of a schedule"),
    ],
)
def test_rate_seconds_what_is_not_simulated_is_refused(
    properties: dict[str, Any], message: str
) -> None:
    """What would make a schedule here another one than on AWS is named."""
    with pytest.raises(TemplateError, match=message.replace("(", r"\(")):
        rate_seconds("Tick", properties)
