"""The way back: from moto's failures bucket onto moto's stream, and through the functions."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.terminal import OpsError
from event_source_mapping.batches import Batch, Condition, GivenUp
from event_source_mapping.destination import S3Destination
from event_source_mapping.emulator import Emulator
from event_source_mapping.lambda_records import Record, SourceShard
from event_source_mapping.local_stack import Stack
from event_source_mapping.stream_reader import StreamReader
from local.sample_models import MODEL_BUCKET, TEMPLATE, train_model
from ops.redrive.__main__ import main
from ops.redrive.failures import Identity
from ops.redrive.put_log import Memory, State
from tests.kpl import aggregate
from tests.polling import until

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

STREAM = "ride_events"
FIX = "tests.contract.ops.fixups:distance_as_number"


def ride(ride_id: int, distance: float | str) -> bytes:
    event = {"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": distance}}
    return json.dumps({**event, "ride_id": ride_id}).encode()


def put(kinesis: "KinesisClient", records: list[tuple[str, bytes]]) -> None:
    for first in range(0, len(records), 500):
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"PartitionKey": k, "Data": d} for k, d in records[first : first + 500]
        ]
        assert kinesis.put_records(StreamName=STREAM, Records=entries)["FailedRecordCount"] == 0


def rejected_lines(aws: Emulator, bucket: str) -> list[Any]:
    s3 = aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="rejected/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_a_thousand_rejected_rides_put_twice_are_predicted_once_by_each_model(
    aws: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rides that both models rejected come back fixed up, and the second put adds nothing."""
    duration = train_model(aws, tmp_path, "--rides", "2000")
    tip = train_model(aws, tmp_path, "--rides", "2000", "--target", "tip")
    parameters = {"ModelBucket": MODEL_BUCKET, "RunId": duration.run_id, "TipRunId": tip.run_id}
    predictions: list[dict[str, Any]] = []

    with Stack(aws, parameters, TEMPLATE) as stack:
        (bucket,) = stack.template.buckets
        command = ["--bucket", bucket, "put", "--fix", FIX]
        output = StreamReader(aws.client("kinesis"), "ride_predictions")

        def predicted(count: int) -> bool:
            predictions.extend(json.loads(record.data) for record in output.read())
            return len(predictions) >= count

        bad = [(f"key-{number}", ride(number, "3.66")) for number in range(1000)]
        put(aws.client("kinesis"), bad)
        until(lambda: len(rejected_lines(aws, bucket)) == 2000, every=0.5)
        assert main(command) == 0
        dry, _ = capsys.readouterr()
        assert main([*command, "--yes"]) == 0
        once, _ = capsys.readouterr()
        assert main([*command, "--yes"]) == 0
        twice, _ = capsys.readouterr()
        until(lambda: predicted(2000))
        put(aws.client("kinesis"), [("last", ride(-1, 1.0))])
        until(lambda: predicted(2002))

    assert len(rejected_lines(aws, bucket)) == 2000
    assert len({event["event_id"] for event in predictions}) == len(predictions) == 2002
    by_ride = Counter((e["version"], e["prediction"]["ride_id"]) for e in predictions)
    assert by_ride == {(m.run_id, n): 1 for m in (duration, tip) for n in range(-1, 1000)}
    again = "met twice       1000  another model or batch gave the same record up\n"
    assert dry.splitlines()[0] == f"to put          1000  onto {STREAM}"
    assert dry.endswith("dry run: nothing is put; --yes puts\n")
    assert once == f"put             1000  onto {STREAM}\n{again}"
    before = "put before      1000  by an earlier put\n"
    assert twice == f"put                0  onto {STREAM}\n{before}{again}"


def test_given_up_batch_comes_back_to_the_byte_and_is_counted(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the mapping wrote to its on-failure destination is put as it was, aggregates whole."""
    kinesis, s3 = aws.client("kinesis"), aws.client("s3")
    kinesis.create_stream(StreamName=STREAM, ShardCount=1)
    s3.create_bucket(Bucket="failures")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:rides"
    destination = S3Destination(s3, "failures", mapping_id="one", function_arn=arn)
    data = [b"\x00\xff", aggregate([("a", b"1"), ("b", b"2")]), ride(1, 1.0)]
    records = [Record(f"{7000 + n}", f"key-{n}", each, 1795336778.5) for n, each in enumerate(data)]
    shard = SourceShard(f"arn:aws:kinesis:us-east-1:1:stream/{STREAM}", "shardId-000000000003")
    destination.put(GivenUp(Batch(records, invocations=4), Condition.RETRIES), shard)

    for _ in range(2):
        assert main(["--bucket", "failures", "put", "--kind", "batch", "--yes"]) == 0
    capsys.readouterr()
    assert main(["--bucket", "failures", "list"]) == 0
    assert main(["--bucket", "failures", "show", "shardId-000000000003:7002"]) == 0

    out = capsys.readouterr().out
    iterator = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    arrived = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [(r["PartitionKey"], r["Data"]) for r in arrived] == [
        ("key-0", data[0]),
        ("key-1", data[1]),
        ("key-2", data[2]),
    ]
    assert out.splitlines()[1].split() == [
        *("batch", "RetryAttemptsExhausted", "rides", "$LATEST", STREAM, "shardId-000000000003"),
        *("2026-11-22", "08:39:38", "08:39:38", "3", "3"),
    ]
    assert out.endswith(f"data      {ride(1, 1.0).decode()}\n")


def test_put_that_finds_another_under_way_puts_nothing(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """S3's conditional write lets one of two puts begin a call."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="failures")
    one, other = Memory(s3, "failures", STREAM, STREAM), Memory(s3, "failures", STREAM, STREAM)
    record = Identity(STREAM, "shardId-000000000000", "1", None)
    begun = one.begin([record])

    with pytest.raises(OpsError, match="another put has begun meanwhile"):
        other.begin([record])
    with pytest.raises(OpsError, match="began a call [0-9]+ seconds ago"):
        Memory(s3, "failures", STREAM, STREAM).require_free()
    one.end(begun, State.DONE, [record])
    assert Memory(s3, "failures", STREAM, STREAM).done == {record}
    Memory(s3, "failures", STREAM, STREAM).require_free()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bucket", "nowhere", "list"], "NoSuchBucket"),
        (
            ["--bucket", "failures", "put", "--onto", "nowhere"],
            "there is no stream 'nowhere'",
        ),
        (["--bucket", "failures", "show", "rejected/a/b/c/d/e/1-1.jsonl"], "there is no failure"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    aws: Emulator, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A bucket, a stream or a record that does not exist is named."""
    aws.client("s3").create_bucket(Bucket="failures")

    assert main(arguments) == 1

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
