"""The on-failure destination: batches that are given up, written to S3 as Lambda writes them."""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from local.batches import GivenUp
from local.records import Record, SourceShard, lambda_event

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
        client: Any,
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
            Body=json.dumps(self._body(given_up, shard, now)).encode(),
            ContentType="application/json",
        )

    def _body(self, given_up: GivenUp, shard: SourceShard, now: datetime) -> dict[str, Any]:
        batch = given_up.batch
        body: dict[str, Any] = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self._function_arn,
                "condition": given_up.condition.value,
                "approximateInvokeCount": batch.invocations,
            },
            "version": "1.0",
            "timestamp": _iso(now),
            "KinesisBatchInfo": _batch_info(batch.records[0], batch.records[-1], shard)
            | {"batchSize": len(batch.records)},
            "payload": json.dumps(lambda_event(batch.records, shard)),
        }
        if batch.invocations:
            body["responseContext"] = {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
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
