"""The records that a Kinesis stream keeps, read a page at a time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

OLDEST: Mapping[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
# API reference, GetRecords: at most five calls a second and shard.
PAUSE_SECONDS = 0.2
# After 10 MB at once, a shard answers nobody for up to five seconds (API reference, GetRecords).
THROTTLED_SECONDS = 1.0
MAX_THROTTLED = 30

Page = Sequence[Mapping[str, Any]]


def shards(kinesis: Any, stream: str) -> Iterator[str]:
    """The IDs of a stream's shards, closed ones too, in the order that AWS lists them."""
    for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream):
        for shard in page["Shards"]:
            yield shard["ShardId"]


def pages(
    kinesis: Any,
    stream: str,
    shard: str,
    *,
    start: Mapping[str, Any] = OLDEST,
    pause: Callable[[float], None] = time.sleep,
    pause_seconds: float = PAUSE_SECONDS,
    limit: int | None = None,
) -> Iterator[Page]:
    """The records of a shard from a place to its end, as boto3 gives them; a page may be empty.

    Args:
        kinesis: boto3's Kinesis client.
        stream: Name of the stream.
        shard: ID of the shard.
        start: The parameters of GetShardIterator that say where to begin.
        pause: Waits for some seconds.
        pause_seconds: How long to wait between two calls.
        limit: Most records of a page; None is as many as Kinesis gives.

    Raises:
        ClientError: Kinesis refuses, and not only because it is asked too much.
    """
    options = {} if limit is None else {"Limit": limit}
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **start)[
        "ShardIterator"
    ]
    # An answer without records is no end: a shard can have stretches without any. A closed shard
    # ends with no iterator, an open one with nothing behind.
    while iterator:
        answer = _patiently(kinesis, {"ShardIterator": iterator, **options}, pause)
        yield answer["Records"]
        iterator = answer.get("NextShardIterator") if answer["MillisBehindLatest"] else None
        if iterator:
            pause(pause_seconds)


def _patiently(
    kinesis: Any, request: Mapping[str, Any], pause: Callable[[float], None]
) -> Mapping[str, Any]:
    """An answer of GetRecords, after a while if others read the shard, too."""
    for _ in range(MAX_THROTTLED):
        try:
            answer: Mapping[str, Any] = kinesis.get_records(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                raise
            pause(THROTTLED_SECONDS)
        else:
            return answer
    last: Mapping[str, Any] = kinesis.get_records(**request)
    return last
