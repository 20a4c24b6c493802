"""The Lambda entry with a trained model, boto3 and moto: the call that the course's tests make."""

import base64
import importlib
import json
import logging
import re
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from event_source_mapping.emulator import Emulator
from model_service.models.predictors import load_predictor
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from streams.aggregation import deaggregate
from streams.errors import EventError
from streams.fakes import kinesis_event
from tests.commands import finished
from tests.kpl import aggregate

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

STREAM = "ride_predictions"
SEQUENCE_NUMBER = "49630081666084879290581185630324770398608704880802529282"
RIDE = {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}
COURSE_EVENT = {
    "Records": [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": SEQUENCE_NUMBER,
                "data": base64.b64encode(
                    json.dumps({"ride": RIDE, "ride_id": 256}).encode()
                ).decode(),
                "approximateArrivalTimestamp": 1654161514.132,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"shardId-000000000000:{SEQUENCE_NUMBER}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::XXXXXXXXX:role/lambda-kinesis-role",
            "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:kinesis:eu-west-1:XXXXXXXXX:stream/ride_events",
        }
    ]
}


@pytest.fixture
def kinesis(aws: Emulator) -> "KinesisClient":
    client = aws.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)
    return client


def load(monkeypatch: pytest.MonkeyPatch, model: dict[str, Any], **environ: str) -> Any:
    """The entry module, freshly imported under these environment variables."""
    environ = {"RUN_ID": "Test123", "MODEL_LOCATION": model["model_location"], **environ}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "lambda_function", raising=False)
    return importlib.import_module("lambda_function")


def records_on_stream(kinesis: "KinesisClient") -> list[Any]:
    iterator = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[Any] = kinesis.get_records(ShardIterator=iterator)["Records"]
    return found


def on_stream(kinesis: "KinesisClient") -> list[Any]:
    return [json.loads(record["Data"]) for record in records_on_stream(kinesis)]


def value_of(model: dict[str, Any], ride: dict[str, Any]) -> float:
    """What the model itself predicts for a ride."""
    predictor = load_predictor(Path(model["model_location"]), trusted=False)
    (value,) = predictor.predict(ride_features([Ride(**ride)]))
    return value


def test_handler_answers_the_courses_event_and_puts_the_same(
    kinesis: "KinesisClient", duration_model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A direct call answers with the contract's event, and the same event is on the stream."""
    function = load(monkeypatch, duration_model, PREDICTIONS_STREAM_NAME=STREAM)

    answer = function.lambda_handler(COURSE_EVENT, None)

    event = {
        "model": "ride_duration_prediction_model",
        "version": "Test123",
        "prediction": {
            "ride_duration": pytest.approx(value_of(duration_model, RIDE), abs=1e-9),
            "ride_id": 256,
        },
        "event_id": "ride_duration_prediction_model:Test123:"
        f"shardId-000000000000:{SEQUENCE_NUMBER}",
    }
    assert answer == {"batchItemFailures": [], "predictions": [event]}
    assert on_stream(kinesis) == [event]
    assert 1 < answer["predictions"][0]["prediction"]["ride_duration"] < 60


def test_handler_uses_the_kinesis_endpoint_of_its_own(
    aws: Emulator,
    kinesis: "KinesisClient",
    duration_model: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """KINESIS_ENDPOINT_URL alone leads to an emulator, as in the course's docker-compose file."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    function = load(monkeypatch, duration_model, KINESIS_ENDPOINT_URL=aws.endpoint)

    function.lambda_handler(COURSE_EVENT, None)

    assert len(on_stream(kinesis)) == 1


def test_handler_packs_predictions_if_told(
    kinesis: "KinesisClient", duration_model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AGGREGATE_PREDICTIONS, a record in the KPL's format holds the same event."""
    function = load(
        monkeypatch,
        duration_model,
        PREDICTIONS_STREAM_NAME=STREAM,
        AGGREGATE_PREDICTIONS="True",
    )

    (event,) = function.lambda_handler(COURSE_EVENT, None)["predictions"]

    (record,) = records_on_stream(kinesis)
    ((key, data),) = deaggregate(record["Data"])
    assert (key, json.loads(data)) == ("256", event)


def test_handler_test_run_puts_nothing(
    kinesis: "KinesisClient", duration_model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TEST_RUN, the answer has the prediction and the stream stays empty."""
    function = load(monkeypatch, duration_model, TEST_RUN="True")

    assert len(function.lambda_handler(COURSE_EVENT, None)["predictions"]) == 1
    assert on_stream(kinesis) == []


def test_handler_without_predictions_in_its_answer(
    kinesis: "KinesisClient", duration_model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With RETURN_PREDICTIONS off, as deployed, only failed items are answered."""
    function = load(monkeypatch, duration_model, RETURN_PREDICTIONS="False")

    assert function.lambda_handler(COURSE_EVENT, None) == {"batchItemFailures": []}
    assert len(on_stream(kinesis)) == 1


def test_handler_serves_tips_from_the_same_stream(
    aws: Emulator,
    kinesis: "KinesisClient",
    tip_model: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another predictor on the same rides takes two variables, and sets bad rides aside, too."""
    aws.client("s3").create_bucket(Bucket="failures")
    function = load(
        monkeypatch,
        tip_model,
        MODEL_NAME="ride_tip_prediction_model",
        PREDICTION_FIELD="ride_tip",
        FAILURES_BUCKET="failures",
    )
    good = json.dumps({"ride": RIDE, "ride_id": "a"}).encode()

    answer = function.lambda_handler(kinesis_event([good, b"bad"]), None)

    assert answer["batchItemFailures"] == []
    (event,) = on_stream(kinesis)
    assert event["model"] == "ride_tip_prediction_model"
    assert event["prediction"] == {
        "ride_tip": pytest.approx(value_of(tip_model, RIDE), abs=1e-9),
        "ride_id": "a",
    }
    (rejection,) = aws.client("s3").list_objects_v2(Bucket="failures")["Contents"]
    assert rejection["Key"].startswith("rejected/ride_tip_prediction_model/Test123/ride_events/")


def test_handler_deadline_comes_from_the_context(
    kinesis: "KinesisClient", duration_model: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A context without time left makes the function report the batch instead of starting it."""

    class Ending:
        def get_remaining_time_in_millis(self) -> int:
            return 100

    function = load(monkeypatch, duration_model)

    answer = function.lambda_handler(COURSE_EVENT, Ending())

    assert answer == {
        "batchItemFailures": [{"itemIdentifier": SEQUENCE_NUMBER}],
        "predictions": [],
    }
    assert on_stream(kinesis) == []


# As digits, so that neither a number nor a text with them goes unseen.
SECRETS = {"PULocationID": 7712345671, "DOLocationID": 7712345672, "trip_distance": 77123.45673}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIA77123456740",
    "AWS_SECRET_ACCESS_KEY": "secret-77123456741",
    "AWS_SESSION_TOKEN": "token-77123456742",
}


def confidential_records() -> list[bytes | str]:
    """A good record, and one of each kind of bad one, all with what must not be told."""
    good = json.dumps({"ride": SECRETS, "ride_id": 7712345670}).encode()
    wrong = [{**SECRETS, name: f"wrong 7712345675 {name}"} for name in SECRETS]
    return [
        good,
        aggregate([("k", good), ("k", b"7712345676")]),
        aggregate([("k", good)])[:-1] + b"\0",
        good[:-1],
        good + b"\xff",
        good.replace(b'"ride_id"', b'"ride_id": "7712345677", "ride_id"'),
        "7712345678 not base64",
        *[json.dumps({"ride": ride, "ride_id": 2}).encode() for ride in wrong],
    ]


@pytest.mark.parametrize("bucket", ["failures", "no-such-bucket"])
@pytest.mark.parametrize("stream", [STREAM, "no-such-stream"])
def test_handler_logs_neither_payloads_nor_credentials(
    aws: Emulator,
    kinesis: "KinesisClient",
    duration_model: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    *,
    bucket: str,
    stream: str,
) -> None:
    """The loggers of this project log no payload and no credential at DEBUG."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    aws.client("s3").create_bucket(Bucket="failures")
    function = load(
        monkeypatch, duration_model, FAILURES_BUCKET=bucket, PREDICTIONS_STREAM_NAME=stream
    )
    for name in ("", "model_service", "streams"):
        caplog.set_level(logging.DEBUG, logger=name)

    answer = function.lambda_handler(kinesis_event(confidential_records()), None)
    with pytest.raises(EventError) as caught:
        function.lambda_handler({"Records": [{"kinesis": SECRETS}]}, None)

    assert len(answer["predictions"]) == 2
    assert "rejected" in caplog.text
    told = "".join([caplog.text, *capfd.readouterr(), *traceback.format_exception(caught.value)])
    assert re.findall("77123.*", told.replace(".", "")) == []


def failed_import(**environ: str) -> str:
    """Return the last line of an import that fails with these variables alone."""
    done = finished([sys.executable, "-c", "import lambda_function"], env=environ)
    assert done.returncode != 0
    return done.stderr.splitlines()[-1]


def test_handler_refuses_a_model_that_was_changed_since_training(
    duration_model: dict[str, Any], tmp_path: Path
) -> None:
    """Pinned to the digest that training printed, the function does not start on other files."""
    folder = shutil.copytree(duration_model["model_location"], tmp_path / "model")
    with (folder / "MLmodel").open("a") as file:
        file.write("\n")
    pinned = duration_model["model_sha256"]

    said = failed_import(MODEL_LOCATION=str(folder), MODEL_SHA256=pinned, TEST_RUN="1")

    assert f"MODEL_SHA256 pins {pinned}" in said


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"RUN_ID": "r"}, "SettingsError: MODEL_BUCKET is not set; set it to "),
        (
            {"MODEL_LOCATION": "nowhere", "TEST_RUN": "1"},
            "ModelNotFound: MODEL_LOCATION='nowhere': there is no ",
        ),
        (
            {"MODEL_LOCATION": "{model}", "HOME": "/nowhere"},
            "SettingsError: AWS_DEFAULT_REGION is not set",
        ),
        (
            {
                "MODEL_LOCATION": "{model}",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": "nonsense",
            },
            "AWS_ENDPOINT_URL is not allowed (Invalid endpoint: nonsense)",
        ),
    ],
)
def test_handler_import_fails_with_one_line(
    duration_model: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """A function that cannot start says in its last line what is wrong and what to do."""
    model = duration_model["model_location"]

    said = failed_import(**{name: value.format(model=model) for name, value in environ.items()})

    assert message in said


def test_handler_needs_the_serving_packages_only(duration_model: dict[str, Any]) -> None:
    """The function starts and predicts in an image without the packages of training and tests."""
    script = """
import json, sys
sys.modules |= dict.fromkeys(["local", "mlflow", "moto", "pandas", "pyarrow", "training"])
from lambda_function import lambda_handler
print(len(lambda_handler(json.load(sys.stdin), None)["predictions"]))
"""
    done = finished(
        [sys.executable, "-c", script],
        env={"MODEL_LOCATION": duration_model["model_location"], "TEST_RUN": "1"},
        stdin=json.dumps(COURSE_EVENT),
        check=True,
    )

    assert done.stdout == "1\n"
