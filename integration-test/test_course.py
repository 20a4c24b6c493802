"""The function by itself in the Lambda runtime, as the MLOps Zoomcamp's integration test runs it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from harness.commands import PROJECT
from harness.emulated import EmulatedCloud
from harness.models import LoggedModel
from harness.rides import Put, ride

from event_source_mapping.destination import NoDestination
from event_source_mapping.mapping import EventSourceMapping
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.runtime import RuntimeFunction
from event_source_mapping.stream_reader import StreamReader
from tests.polling import until


@pytest.fixture
def output_stream(cloud: EmulatedCloud, request: pytest.FixtureRequest) -> str:
    """A stream for one test alone."""
    return make_stream(cloud, f"{request.node.name[:100]}_predictions")


@pytest.mark.emulator
def test_function_with_the_courses_variables_answers_the_courses_event(
    cloud: EmulatedCloud, model: LoggedModel, output_stream: str
) -> None:
    """With six variables and no template, the answer and the stream both have the prediction."""
    function = course_function(cloud, model, output_stream)
    event = json.loads((PROJECT / "examples/kinesis-event.json").read_text())

    answer = function.invoke(event)

    shard, _, sequence_number = event["Records"][0]["eventID"].partition(":")
    (expected,) = replace(model, run_id="Test123").events(
        [ride(256)], [Put(shard, sequence_number)]
    )
    wanted = {"batchItemFailures": [], "predictions": [expected]}
    assert answer == wanted
    assert records(cloud, output_stream) == [expected]


@pytest.mark.emulator
def test_local_mapping_feeds_the_real_runtime(
    cloud: EmulatedCloud, model: LoggedModel, output_stream: str
) -> None:
    """The local mapping polls any Kinesis, and invokes the function in the Lambda runtime."""
    kinesis = cloud.client("kinesis")
    stream = make_stream(cloud, "course_rides")
    rides = [ride(ride_id, miles=ride_id / 10) for ride_id in range(1, 41)]
    answer = kinesis.put_records(
        StreamName=stream,
        Records=[
            {"PartitionKey": str(one["ride_id"]), "Data": json.dumps(one).encode()} for one in rides
        ],
    )
    puts = [Put(result["ShardId"], result["SequenceNumber"]) for result in answer["Records"]]
    settings = MappingSettings("Rides", stream, "TRIM_HORIZON", report_item_failures=True)
    function = course_function(cloud, model, output_stream)
    mapping = EventSourceMapping(kinesis, function, settings, NoDestination())

    mapping.start()
    try:
        until(lambda: len(records(cloud, output_stream)) >= len(rides), 60, 0.3)
    finally:
        mapping.stop()

    found = sorted(records(cloud, output_stream), key=lambda e: e["prediction"]["ride_id"])
    wanted = replace(model, run_id="Test123").events(rides, puts)
    assert found == wanted


def course_function(cloud: EmulatedCloud, model: LoggedModel, output: str) -> RuntimeFunction:
    """The function with the course's variables alone."""
    return cloud.run_function(
        {
            "PREDICTIONS_STREAM_NAME": output,
            "RUN_ID": "Test123",
            "MODEL_LOCATION": "{model}",
            "KINESIS_ENDPOINT_URL": "{endpoint}",
            "AWS_DEFAULT_REGION": cloud.environ["AWS_DEFAULT_REGION"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        model.folder,
    )


def make_stream(cloud: EmulatedCloud, name: str) -> str:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return name


def records(cloud: EmulatedCloud, stream: str) -> list[Any]:
    """What a stream holds."""
    reader = StreamReader(cloud.client("kinesis"), stream)
    return [json.loads(record.data) for record in reader.read()]
