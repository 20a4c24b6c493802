"""The function by itself in the Lambda runtime, as the MLOps Zoomcamp's integration test runs it."""

import json
from dataclasses import replace

import pytest
from harness.commands import PROJECT
from harness.compare import differences
from harness.emulated import EmulatedCloud
from harness.models import LoggedModel
from harness.rides import Put, ride

STREAM = "course_predictions"


@pytest.fixture
def output_stream(cloud: EmulatedCloud) -> str:
    """A stream for this function alone."""
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM, WaiterConfig={"Delay": 1})
    return STREAM


@pytest.mark.emulator
def test_function_with_the_courses_variables_answers_the_courses_event(
    cloud: EmulatedCloud, model: LoggedModel, output_stream: str
) -> None:
    """With six variables and no template, the answer and the stream both have the prediction."""
    invoke = cloud.run_function(
        {
            "PREDICTIONS_STREAM_NAME": output_stream,
            "RUN_ID": "Test123",
            "MODEL_LOCATION": "{model}",
            "KINESIS_ENDPOINT_URL": "{endpoint}",
            "AWS_DEFAULT_REGION": cloud.environ["AWS_DEFAULT_REGION"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        model.folder,
    )
    event = json.loads((PROJECT / "examples/kinesis-event.json").read_text())

    answer = invoke(event)

    shard, _, sequence_number = event["Records"][0]["eventID"].partition(":")
    (expected,) = replace(model, run_id="Test123").events(
        [ride(256)], [Put(shard, sequence_number)]
    )
    wanted = {"batchItemFailures": [], "predictions": [expected]}
    assert answer == wanted, differences([answer], [wanted])
    kinesis = cloud.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName=output_stream,
        ShardId="shardId-000000000000",
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [json.loads(record["Data"]) for record in records] == [expected]
