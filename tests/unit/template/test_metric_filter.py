"""The metric of rejections, from the line that a function logs to the filter that reads it."""

import json
import logging
import re
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
from tests.unit.template.changes import GONE, change
from tests.unit.template.metric_filters import problems

MODEL = "ride_duration_prediction_model"
METRIC = "Rejections/MetricTransformations/0"
OTHER = {"Ref": "OtherGroup"}
DOWN = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
RIDE = (PROJECT / "examples" / "ride.json").read_bytes()


def test_template_makes_a_metric_of_rejections(template: dict[str, Any]) -> None:
    """The filter reads the functions' log group, and counts by model."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("Rejections/LogGroupName", OTHER, "Rejections.LogGroupName is ${OtherGroup}; it must be"),
        ("Rejections/FilterPattern", "{ $.rejected > 1 }", "Rejections.FilterPattern is {"),
        ("Rejections/FilterPattern", "{ $.rejects > 0 }", "Rejections.FilterPattern is {"),
        ("Rejections/FilterPattern", "", "Rejections.FilterPattern is ; it must be {"),
        ("Rejections/ApplyOnTransformedLogs", True, "Rejections.ApplyOnTransformedLogs is "),
        (f"{METRIC}/MetricValue", "1", "'MetricValue': '1'"),
        (f"{METRIC}/MetricValue", "$.records", "'MetricValue': '$.records'"),
        (f"{METRIC}/MetricName", "Rejected", "'MetricName': 'Rejected'"),
        (f"{METRIC}/MetricNamespace", "RidePredictions", "'MetricNamespace': 'RidePredictions'"),
        (f"{METRIC}/Dimensions", GONE, "Rejections.MetricTransformations is ["),
        (f"{METRIC}/Dimensions/0/Value", "$.name", "'Value': '$.name'"),
        (f"{METRIC}/Dimensions/0/Key", "Name", "'Key': 'Name'"),
        (f"{METRIC}/DefaultValue", 0, "'DefaultValue': '0'"),
        (f"{METRIC}/Unit", "Seconds", "'Unit': 'Seconds'"),
        ("Resources/Rejections", GONE, "Rejections.LogGroupName is None"),
        ("Resources/More", {"Type": "AWS::Logs::MetricFilter"}, "More is not on the list"),
        ("LogGroup/LogGroupClass", "INFREQUENT_ACCESS", "INFREQUENT_ACCESS, which has no metric"),
        ("TipFunction/LoggingConfig/LogGroup", OTHER, "TipFunction logs to ['${OtherGroup}']"),
        ("TipFunction/LoggingConfig", GONE, "TipFunction logs to "),
    ],
)
def test_problems_filter_of_something_else_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A filter that reads another log, or other fields of it, is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))


def logged_batch(caplog: pytest.LogCaptureFixture, s3: FakeS3) -> dict[str, Any]:
    """What the one line on a batch of two rides and a bad record has besides its text."""
    clock = ManualClock()
    service = Service(
        model=Model(MODEL, "Test123", "ride_duration", FakePredictor(lambda _: 21.5)),
        predictions=StreamWriter(FakeKinesis(), "ride_predictions", sleep=clock.sleep),
        rejections=RejectionStore(s3, "failures", MODEL, "Test123"),
        return_predictions=False,
    )

    with caplog.at_level(logging.INFO, logger="model_service"):
        service.handle(kinesis_event([RIDE, b"not json", RIDE]), Deadline(60, clock=clock))

    (record,) = [record for record in caplog.records if hasattr(record, "rejected")]
    assert record.levelno == logging.INFO
    return vars(record)


@pytest.mark.parametrize(("error", "unfinished"), [(None, 0), (DOWN, 1)])
def test_service_logs_what_became_of_a_batch(
    caplog: pytest.LogCaptureFixture, error: Exception | None, unfinished: int
) -> None:
    """A record that could not be set aside comes again, and is rejected all the same."""
    expected = {
        "model": MODEL,
        "records": 3,
        "predicted": 2,
        "rejected": 1,
        "unfinished": unfinished,
    }

    fields = logged_batch(caplog, FakeS3(error))

    assert {key: fields.get(key) for key in expected} == expected


def test_filter_reads_fields_that_the_service_logs(
    template: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Every field that the filter names is there, as a number where it counts."""
    properties = template["Resources"]["Rejections"]["Properties"]
    (metric,) = properties["MetricTransformations"]
    fields = logged_batch(caplog, FakeS3())

    counted = {properties["FilterPattern"].split()[1], metric["MetricValue"]}
    read = set(re.findall(r"\$\.\w+", json.dumps(properties)))

    assert read == counted | {dimension["Value"] for dimension in metric["Dimensions"]}
    assert read <= {f"$.{name}" for name in fields}
    assert {type(fields[name.removeprefix("$.")]) for name in counted} == {int}


@pytest.mark.parametrize("function", ["DurationFunction", "TipFunction"])
def test_alarm_counts_by_the_name_that_the_service_logs(
    template: dict[str, Any], function: str
) -> None:
    """The dimension is the model's name, which the function has from its environment."""
    resources = template["Resources"]
    name = resources[function]["Properties"]["Environment"]["Variables"]["MODEL_NAME"]

    assert json.dumps(name) in json.dumps(resources["RejectionsAlarm"]["Properties"]["Metrics"])
