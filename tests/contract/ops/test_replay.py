"""Replaying rides that moto's stream keeps, with models that MLflow wrote."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from event_source_mapping.emulator import Emulator
from event_source_mapping.stream_reader import StreamReader
from model_service.models.loading import load_model
from model_service.service import Service
from model_service.settings import Settings
from ops.replay.__main__ import main
from streams.deadline import Deadline
from streams.fakes import kinesis_event
from streams.rejections import NoRejectionStore
from streams.writer import NoStream
from tests.kpl import aggregate

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_kinesis.type_defs import (
        PutRecordsRequestEntryTypeDef,
        PutRecordsResultEntryTypeDef,
    )

STREAM = "ride_events"


def ride(ride_id: int, distance: object = 3.66) -> bytes:
    event = {"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": distance}}
    return json.dumps({**event, "ride_id": ride_id}).encode()


RIDES = [ride(number, number / 10) for number in range(50)]
BAD = [ride(1, "3.66"), b"\xff", b"{"]
AGGREGATED = aggregate([("a", ride(100)), ("b", ride(101, -1))])


@pytest.fixture
def kinesis(aws: Emulator) -> "KinesisClient":
    client = aws.client("kinesis")
    for name in (STREAM, "ride_predictions", "candidate"):
        client.create_stream(StreamName=name, ShardCount=2)
    return client


def put(kinesis: "KinesisClient", *payloads: bytes) -> "list[PutRecordsResultEntryTypeDef]":
    entries: list[PutRecordsRequestEntryTypeDef] = [
        {"Data": data, "PartitionKey": str(n)} for n, data in enumerate(payloads)
    ]
    return kinesis.put_records(StreamName=STREAM, Records=entries)["Records"]


def live(model: dict[str, Any], payloads: list[bytes]) -> dict[Any, float]:
    """What the service says of rides, by ride ID."""
    settings = Settings.from_environ({"MODEL_LOCATION": model["model_location"]})
    service = Service(
        model=load_model(settings),
        predictions=NoStream(),
        rejections=NoRejectionStore(),
        return_predictions=True,
    )
    answer = service.handle(kinesis_event(payloads), Deadline(60))
    events = [event["prediction"] for event in answer["predictions"]]
    return {event["ride_id"]: event["ride_duration"] for event in events}


def test_replay_writes_what_the_service_predicts(
    kinesis: "KinesisClient",
    duration_model: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each ride is in the file with the service's value and event ID; bad ones are counted."""
    results = put(kinesis, *RIDES, *BAD, AGGREGATED)
    output = tmp_path / "replayed.jsonl"
    command = ["--model-location", duration_model["model_location"], "--output", str(output)]

    assert main([*command, "--model-sha256", duration_model["model_sha256"]]) == 0

    events = [json.loads(line) for line in output.read_bytes().splitlines()]
    values = {e["prediction"]["ride_id"]: e["prediction"]["ride_duration"] for e in events}
    assert values == live(duration_model, [*RIDES, ride(100)])
    assert {event["version"] for event in events} == {duration_model["run_id"]}
    positions = [f"{r['ShardId']}:{r['SequenceNumber']}" for r in results]
    expected = {*positions[:50], f"{positions[-1]}.0"}
    assert {event["event_id"].split(":", 2)[2] for event in events} == expected
    lines = capsys.readouterr().err.splitlines()
    assert [" ".join(line.split())[:30] for line in lines if "records" not in line] == [
        f"model ride_duration_prediction_model, version {duration_model['run_id']}"[:30],
        f"rides 51, predictions written to {output}"[:30],
        "rejected 4 (2 invalid_event, 1 invalid_utf8, 1 invalid_json)"[:30],
        f"mean {sum(values.values()) / 51:.2f} ride_duration",
    ]
    assert not StreamReader(kinesis, "ride_predictions").read()


@pytest.mark.parametrize(
    ("stream", "other", "more"),
    [("candidate", "ride_predictions", []), ("ride_predictions", "candidate", ["--yes"])],
)
def test_replay_puts_onto_a_stream_that_is_named(
    kinesis: "KinesisClient",
    duration_model: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    stream: str,
    other: str,
    more: list[str],
) -> None:
    """Only the stream that is named gets predictions; the live one needs --yes."""
    put(kinesis, *RIDES)
    command = ["--model-location", duration_model["model_location"], "--run-id", "new", *more]

    assert main([*command, "--output", f"stream:{stream}"]) == 0

    events = [json.loads(r.data) for r in StreamReader(kinesis, stream).read()]
    assert {e["prediction"]["ride_id"] for e in events} == set(range(50))
    assert {e["version"] for e in events} == {"new"}
    assert not StreamReader(kinesis, other).read()
    assert f"50, predictions put onto the stream {stream}\n" in capsys.readouterr().err


def test_replay_between_sequence_numbers_has_both_ends(
    kinesis: "KinesisClient", duration_model: dict[str, Any], tmp_path: Path
) -> None:
    """The first and the last record of a shard's part are in it, and no other shard's are."""
    results = put(kinesis, *RIDES)
    shard = results[0]["ShardId"]
    numbers = [r["SequenceNumber"] for r in results if r["ShardId"] == shard]
    output = tmp_path / "part.jsonl"
    model = ["--model-location", duration_model["model_location"]]
    part = ["--shard", shard, "--from", numbers[2], "--to", numbers[5]]

    assert main([*model, *part, "--output", str(output)]) == 0

    events = [json.loads(line) for line in output.read_bytes().splitlines()]
    assert [event["event_id"].rpartition(":")[2] for event in events] == numbers[2:6]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "stream:ride_events"], "--output stream:ride_events is not allowed"),
        (["--output", "stream:nowhere"], "--output stream:nowhere cannot be used"),
        (["--output", "-", "--shard", "shardId-9"], "--shard 'shardId-9' is not one of"),
        (["--output", "-", "--stream", "nowhere"], "the stream 'nowhere' cannot be read"),
        (["--output", "-", "--model-sha256", "0" * 64], "the model's digest is"),
        (["--output", "/nowhere/file"], "--output '/nowhere/file' cannot be written"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_line(
    kinesis: "KinesisClient",
    duration_model: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """A wrong option is named, with its value."""
    assert main(["--model-location", duration_model["model_location"], *arguments]) == 1

    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert said in error
