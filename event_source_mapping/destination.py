"""The on-failure destination: batches that are given up, told of as Lambda tells of them."""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from event_source_mapping.batches import Condition, GivenUp
from event_source_mapping.clients import BucketClient, QueueClient
from event_source_mapping.lambda_records import Record, SourceShard, lambda_event

logger = logging.getLogger(__name__)


class Destination(Protocol):
    """Takes batches that are given up."""

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Keep the batch.

        Raises:
            Exception: It could not be kept.
        """
        ...


class NoDestination:
    """Drops batches, as Lambda does without an on-failure destination, and says so."""

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Log how many records are dropped."""
        logger.error("%s: %d records dropped", given_up.condition, len(given_up.batch.records))


class SqsDestination:
    """Sends what is to be known of a batch to a queue; the records stay on the stream.

    The message is that of "Retain discarded batch records for a Kinesis Data Streams event source
    in Lambda" (AWS Lambda Developer Guide).

    Args:
        client: boto3's SQS client.
        queue_url: Where to send.
        function_arn: The function that failed.
        now: The time.
    """

    def __init__(
        self,
        client: QueueClient,
        queue_url: str,
        *,
        function_arn: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._function_arn = function_arn
        self._now = now

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Send one message.

        Raises:
            Exception: Whatever the client raises; the batch must not be forgotten then.
        """
        body = _body(given_up, shard, self._function_arn, self._now())
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body))


class S3Destination:
    """Writes a batch with all its records, and why it was given up.

    Body and key are those of "Retain discarded batch records for a Kinesis Data Streams event
    source in Lambda" (AWS Lambda Developer Guide); only S3 destinations carry the records.

    Args:
        client: boto3's S3 client.
        bucket: Where to write.
        mapping_id: The UUID of the mapping.
        function_arn: The function that failed.
        now: The time.
    """

    def __init__(
        self,
        client: BucketClient,
        bucket: str,
        *,
        mapping_id: str,
        function_arn: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._mapping_id = mapping_id
        self._function_arn = function_arn
        self._now = now

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Write one object.

        Raises:
            Exception: Whatever the client raises; the batch must not be forgotten then.
        """
        now = self._now()
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"aws/lambda/{self._mapping_id}/{shard.shard_id}/{now:%Y/%m/%d}/"
            f"{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}",
            Body=json.dumps(
                {
                    **_body(given_up, shard, self._function_arn, now),
                    "payload": json.dumps(lambda_event(given_up.batch.records, shard)),
                }
            ).encode(),
            ContentType="application/json",
        )


def _body(
    given_up: GivenUp, shard: SourceShard, function_arn: str, now: datetime
) -> dict[str, Any]:
    batch = given_up.batch
    # AWS's documents of records that are too old were seen to be like this, however often the
    # function had had them (docs/event-source-mapping.md, *recorded*).
    is_too_old = given_up.condition == Condition.AGE
    body: dict[str, Any] = {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": given_up.condition.value,
            "approximateInvokeCount": 1 if is_too_old else batch.invocations,
        },
        "version": "1.0",
        "timestamp": _iso(now),
        "KinesisBatchInfo": _batch_info(batch.records[0], batch.records[-1], shard)
        | {"batchSize": len(batch.records)},
    }
    if not is_too_old:
        body["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled" if batch.function_error else None,
        }
    return body


def _batch_info(first: Record, last: Record, shard: SourceShard) -> dict[str, Any]:
    return {
        "shardId": shard.shard_id,
        "startSequenceNumber": first.sequence_number,
        "endSequenceNumber": last.sequence_number,
        "approximateArrivalOfFirstRecord": _iso(datetime.fromtimestamp(first.arrival_time, UTC)),
        "approximateArrivalOfLastRecord": _iso(datetime.fromtimestamp(last.arrival_time, UTC)),
        "streamArn": shard.stream_arn,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
