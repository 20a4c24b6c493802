"""PutRecords as msgspec writes and reads it, against moto's Kinesis and answers made up here."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from event_source_mapping.emulator import Emulator
from streams.put_records_codec import quicken

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

STREAM = "ride_predictions"
ENTRIES: "list[PutRecordsRequestEntryTypeDef]" = [
    {"Data": b'{"a": 1}', "PartitionKey": "1"},
    {"Data": bytes(range(256)), "PartitionKey": "zwölf"},
]


@pytest.fixture
def kinesis(aws: Emulator) -> "KinesisClient":
    client = aws.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)
    return quicken(client)


def read(kinesis: "KinesisClient") -> list[tuple[bytes, str]]:
    shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    return [(record["Data"], record["PartitionKey"]) for record in records]


def test_put_records_arrive_to_the_byte(kinesis: "KinesisClient") -> None:
    """Data of any bytes and keys of any text arrive as boto3 itself would send them."""
    kinesis.put_records(StreamName=STREAM, Records=ENTRIES)

    assert read(kinesis) == [(entry["Data"], entry["PartitionKey"]) for entry in ENTRIES]


def test_put_records_answers_what_boto3_answers(kinesis: "KinesisClient", aws: Emulator) -> None:
    """The answer has the same parts as boto3's own."""
    plain = aws.client("kinesis").put_records(StreamName=STREAM, Records=ENTRIES)

    quick = kinesis.put_records(StreamName=STREAM, Records=ENTRIES)

    assert quick.keys() >= {"Records", "FailedRecordCount"}
    assert [record.keys() for record in quick["Records"]] == [
        record.keys() for record in plain["Records"]
    ]
    assert quick["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_put_records_on_a_missing_stream_raises_boto3s_error(kinesis: "KinesisClient") -> None:
    """An error has boto3's class, code and message."""
    with pytest.raises(ClientError, match="ride_prediction_s") as caught:
        kinesis.put_records(StreamName="ride_prediction_s", Records=ENTRIES)

    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_other_calls_are_boto3s(kinesis: "KinesisClient") -> None:
    """Nothing but PutRecords is changed."""
    kinesis.put_record(StreamName=STREAM, Data=b"x", PartitionKey="1")

    assert read(kinesis) == [(b"x", "1")]


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"Records": '])
def test_answer_that_is_no_object_raises(body: bytes, kinesis: "KinesisClient") -> None:
    """What a proxy may answer in Kinesis' place is an error, not an answer without failures."""

    def garble(response_dict: dict[str, Any], **_: Any) -> None:
        response_dict["body"] = body

    kinesis.meta.events.register_first("before-parse.kinesis.PutRecords", garble)

    with pytest.raises(ValueError, match="JSON|Expected|truncated"):
        kinesis.put_records(StreamName=STREAM, Records=ENTRIES)
