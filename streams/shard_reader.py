"""The records that a Kinesis stream keeps, read a page at a time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import RecordTypeDef

    from event_source_mapping.clients import ShardClient, Start

OLDEST: "Start" = {"ShardIteratorType": "TRIM_HORIZON"}
# API reference, GetRecords: at most five calls a second and shard.
PAUSE_SECONDS = 0.2
# After 10 MB at once, a shard answers nobody for up to five seconds (API reference, GetRecords).
THROTTLED_SECONDS = 1.0
MAX_THROTTLED = 30
# API reference, GetRecords: the most that a call gives.
MAX_RECORDS = 10_000

Page = Sequence["RecordTypeDef"]


def pages(
    kinesis: "ShardClient",
    stream: str,
    shard: str,
    *,
    start: "Start" = OLDEST,
    pause: Callable[[float], None] = time.sleep,
    pause_seconds: float = PAUSE_SECONDS,
    limit: int = MAX_RECORDS,
) -> Iterator[Page]:
    """The records of a shard from a place to its end, as boto3 gives them; a page may be empty.

    Args:
        kinesis: boto3's Kinesis client.
        stream: Name of the stream.
        shard: ID of the shard.
        start: The parameters of GetShardIterator that say where to begin.
        pause: Waits for some seconds.
        pause_seconds: How long to wait between two calls.
        limit: Most records of a page.

    Raises:
        ClientError: Kinesis refuses, and not only because it is asked too much.
    """
    where = start
    iterator: str | None = _iterator(kinesis, stream, shard, start)
    # A closed shard ends with no iterator.
    while iterator:
        try:
            answer = _patiently(kinesis, iterator, limit, pause)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExpiredIteratorException":
                raise
            # Whoever took the last page kept it for more than five minutes.
            iterator = _iterator(kinesis, stream, shard, where)
            continue
        page: Page = answer["Records"]
        yield page
        if not answer["MillisBehindLatest"] and len(page) < limit:
            # The end of an open shard. An answer without records is none: a shard can have
            # stretches without any. Nor is a full one: what is behind it may be of the same moment.
            return
        where = _after(page) or where
        iterator = answer.get("NextShardIterator")
        if iterator:
            pause(pause_seconds)


def _iterator(kinesis: "ShardClient", stream: str, shard: str, where: "Start") -> str:
    answer = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **where)
    iterator: str = answer["ShardIterator"]
    return iterator


def _after(page: Page) -> "Start | None":
    """The parameters of GetShardIterator that lead behind a page; None if it is empty."""
    if not page:
        return None
    return {
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        "StartingSequenceNumber": page[-1]["SequenceNumber"],
    }


def _patiently(
    kinesis: "ShardClient", iterator: str, limit: int, pause: Callable[[float], None]
) -> Mapping[str, Any]:
    """An answer of GetRecords, after a while if others read the shard, too."""
    for _ in range(MAX_THROTTLED):
        try:
            return kinesis.get_records(ShardIterator=iterator, Limit=limit)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ProvisionedThroughputExceededException":
                raise
            pause(THROTTLED_SECONDS)
    return kinesis.get_records(ShardIterator=iterator, Limit=limit)
