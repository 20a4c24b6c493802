"""Metrics of the log, from the line that a function logs to the filter and the alarm."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.service import Service
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, FakeS3, kinesis_event
from streams.rejections import RejectionStore
from streams.writer import StreamWriter
from tests.clock import ManualClock
from tests.conftest import PROJECT
from tests.unit.decision_service.world import World

MODEL = "ride_duration_prediction_model"
DOWN = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
RIDE = (PROJECT / "examples" / "ride.json").read_bytes()


def logged_batch(caplog: pytest.LogCaptureFixture, s3: FakeS3 | None = None) -> dict[str, Any]:
    """Return the fields of the line that is logged for a batch of two rides and a bad record."""
    clock = ManualClock()
    service = Service(
        model=Model(MODEL, "Test123", "ride_duration", FakePredictor(lambda _: 21.5)),
        predictions=StreamWriter(FakeKinesis(), "ride_predictions", sleep=clock.sleep),
        rejections=RejectionStore(s3 or FakeS3(), "failures", MODEL, "Test123"),
        return_predictions=False,
    )

    with caplog.at_level(logging.INFO, logger="model_service"):
        service.handle(kinesis_event([RIDE, b"not json", RIDE]), Deadline(60, clock=clock))

    (record,) = [record for record in caplog.records if hasattr(record, "rejected")]
    assert record.levelno == logging.INFO
    return vars(record)


def logged_sweep(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Return the fields of the line that is logged when decisions are due."""
    with caplog.at_level(logging.INFO, logger="decision_service"):
        World().sweep()

    (record,) = [record for record in caplog.records if hasattr(record, "undecided")]
    return vars(record)


@pytest.mark.parametrize(("error", "unfinished"), [(None, 0), (DOWN, 1)])
def test_service_logs_what_became_of_a_batch(
    caplog: pytest.LogCaptureFixture, error: Exception | None, unfinished: int
) -> None:
    """A bad record counts as rejected, also if it is redelivered because it could not be stored."""
    expected = {
        "model": MODEL,
        "records": 3,
        "predicted": 2,
        "rejected": 1,
        "unfinished": unfinished,
    }

    fields = logged_batch(caplog, FakeS3(error))

    assert {key: fields.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "logged"), [("Rejections", logged_batch), ("Undecided", logged_sweep)]
)
def test_filter_reads_fields_that_the_service_logs(
    template: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    name: str,
    logged: Callable[[pytest.LogCaptureFixture], dict[str, Any]],
) -> None:
    """Every field that a metric filter names is logged, as an integer where it counts."""
    properties = template["Resources"][name]["Properties"]
    (metric,) = properties["MetricTransformations"]
    fields = logged(caplog)

    counted = {properties["FilterPattern"].split()[1], metric["MetricValue"]}
    read = set(re.findall(r"\$\.\w+", json.dumps(properties)))

    assert read == counted | {dimension["Value"] for dimension in metric["Dimensions"]}
    assert read <= {f"$.{field}" for field in fields}
    assert {type(fields[field.removeprefix("$.")]) for field in counted} == {int}


def test_alarms_on_rejections_count_by_the_name_that_the_service_logs(
    template: dict[str, Any],
) -> None:
    """Each function that reads a stream has an alarm on the name in its environment."""
    resources = template["Resources"]
    functions = [
        each["Properties"]["FunctionName"]["Ref"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    environments = [resources[name]["Properties"]["Environment"]["Variables"] for name in functions]
    watched = [
        dimension["Value"]
        for name, each in resources.items()
        if name.endswith("RejectionsAlarm")
        for dimension in each["Properties"]["Dimensions"]
    ]

    assert sorted(watched) == sorted(
        variables.get("MODEL_NAME") or variables["DECISION_NAME"] for variables in environments
    )
