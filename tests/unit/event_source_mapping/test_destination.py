import json
import re
from datetime import UTC, datetime

import pytest

from event_source_mapping.batches import Batch, Condition, GivenUp
from event_source_mapping.destination import S3Destination, SqsDestination
from event_source_mapping.lambda_records import Record, SourceShard, lambda_event
from streams.fakes import FakeS3

SHARD = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/ride_events", "shardId-7")
RECORDS = [Record("1", "a", b"\xff", 1000.5), Record("2", "b", b"{}", 1001.0)]


def written(given_up: GivenUp) -> tuple[str, dict[str, object]]:
    s3 = FakeS3()
    S3Destination(
        s3,
        "failures",
        mapping_id="some-uuid",
        function_arn="arn:function",
        now=lambda: datetime(2026, 11, 2, 3, 4, 5, 678000, UTC),
    ).put(given_up, SHARD)
    ((key, body),) = s3.objects.items()
    return key, json.loads(body)


def test_put_key_has_mapping_shard_and_time() -> None:
    """The key is laid out as Lambda lays it out."""
    key, _ = written(GivenUp(Batch(RECORDS, 3, 2, function_error=True), Condition.RETRIES))

    prefix = "aws/lambda/some-uuid/shardId-7/2026/11/02/2026-11-02T03.04.05-"
    assert re.fullmatch(re.escape(prefix) + "[0-9a-f-]{36}", key)


def test_put_body_has_lambdas_fields_and_every_record() -> None:
    """The body says why, and holds the whole event as a JSON string."""
    _, body = written(GivenUp(Batch(RECORDS, 3, 2, function_error=True), Condition.RETRIES))

    context = body["requestContext"]
    assert isinstance(context, dict)
    assert context.pop("requestId")
    assert json.loads(str(body.pop("payload"))) == lambda_event(RECORDS, SHARD)
    assert body == {
        "requestContext": {
            "functionArn": "arn:function",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2026-11-02T03:04:05.678Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-7",
            "startSequenceNumber": "1",
            "endSequenceNumber": "2",
            "approximateArrivalOfFirstRecord": "1970-01-01T00:16:40.500Z",
            "approximateArrivalOfLastRecord": "1970-01-01T00:16:41.000Z",
            "batchSize": 2,
            "streamArn": SHARD.stream_arn,
        },
    }


def test_put_batch_that_was_answered_has_no_function_error() -> None:
    """A function that reported its failures has answered; AWS was seen to say null."""
    _, body = written(GivenUp(Batch(RECORDS, 3, 2), Condition.RETRIES))

    assert body["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": None,
    }


@pytest.mark.parametrize("invocations", [0, 7])
def test_put_batch_that_is_too_old_has_no_response(invocations: int) -> None:
    """Of records that are too old, AWS was seen to tell of one invocation, and of no answer."""
    _, body = written(GivenUp(Batch(RECORDS, invocations), Condition.AGE))

    assert "responseContext" not in body
    assert isinstance(body["requestContext"], dict)
    assert body["requestContext"]["approximateInvokeCount"] == 1


def test_message_to_a_queue_is_the_body_without_the_records() -> None:
    """SQS gets what is to be known of a batch; only S3 gets its records."""

    class Sqs:
        def send_message(self, **message: str) -> None:
            sent.append(message)

    sent: list[dict[str, str]] = []
    given_up = GivenUp(Batch(RECORDS, 3, 2, function_error=True), Condition.RETRIES)
    SqsDestination(
        Sqs(),
        "http://queue",
        function_arn="arn:function",
        now=lambda: datetime(2026, 11, 2, 3, 4, 5, 678000, UTC),
    ).put(given_up, SHARD)

    (message,) = sent
    _, in_s3 = written(given_up)
    body = json.loads(message["MessageBody"])
    assert message["QueueUrl"] == "http://queue"
    assert body["requestContext"].pop("requestId")
    assert isinstance(in_s3["requestContext"], dict)
    in_s3["requestContext"].pop("requestId")
    assert body == {name: value for name, value in in_s3.items() if name != "payload"}
