"""A failures bucket in memory, and what lies in it."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from streams.errors import Reason
from streams.fakes import kinesis_event
from streams.rejections import Rejection, RejectionSource

SHARD = "shardId-000000000000"
ARRIVED = 1654161514.132
AWS_KEY = f"aws/lambda/0f4a/{SHARD}/2022/06/02/2022-06-02T09.20.00-6a1c"


class FakeBucket:
    """S3 with one bucket.

    Attributes:
        objects: Content by key.
        modified: When every object was written that was there at first.
        now: The clock of S3.
        error: What the next writes raise; None lets them through.
    """

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.modified = datetime(2022, 6, 2, 9, 30, tzinfo=UTC)
        self.now = self.modified
        self._written: dict[str, datetime] = {}
        self.reads: list[str] = []
        self.error: Exception | None = None

    def put_object(self, *, Key: str, Body: bytes, **request: str) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        if request.get("IfNoneMatch") == "*" and Key in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body
        self._written[Key] = self.now
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.reads.append(Key)
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {
            "Body": io.BytesIO(self.objects[Key]),
            "LastModified": self._written.get(Key, self.modified),
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now)}},
        }

    def get_paginator(self, operation: str) -> "FakeBucket":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        # A page for each object, after an empty one.
        yield {}
        for key in sorted(self.objects):
            if key.startswith(Prefix):
                size = len(self.objects[key])
                entry = {"Key": key, "Size": size, "LastModified": self.modified}
                yield {"Contents": [entry]}


def rejection(
    number: int,
    data: bytes | str = b"{}",
    *,
    reason: Reason = Reason.INVALID_EVENT,
    model: str = "durations",
    sub: int | None = None,
    key: str = "key",
    arrived: float = ARRIVED,
) -> Rejection:
    """A rejection; data as text is put in as it is."""
    return Rejection(
        reason=reason,
        detail='ride.trip_distance is "3.66"',
        source=RejectionSource("rides", SHARD, str(number), sub, key, arrived),
        model=model,
        version="run1",
        data=data if isinstance(data, str) else base64.b64encode(data).decode(),
    )


def rejected(*rejections: Rejection) -> dict[str, bytes]:
    """The object that holds the rejections of a batch."""
    numbers = [int(each.source.sequence_number) for each in rejections]
    key = (
        f"rejected/{rejections[0].model}/run1/rides/2022-06-02/{SHARD}/"
        f"{min(numbers)}-{max(numbers)}.jsonl"
    )
    return {key: msgspec.json.Encoder().encode_lines(rejections)}


def given_up(
    *payloads: bytes, first: int = 1, key: str = AWS_KEY, stream: str = "rides"
) -> dict[str, bytes]:
    """An on-failure object with the fields that AWS's documentation shows."""
    event = kinesis_event(payloads, first=first, stream=stream, shard=SHARD)
    body = {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": str(first),
            "endSequenceNumber": str(first + len(payloads) - 1),
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
            "batchSize": len(payloads),
            "streamArn": f"arn:aws:kinesis:us-east-2:123456789012:stream/{stream}",
        },
        "payload": json.dumps(event),
    }
    return {key: json.dumps(body).encode()}
