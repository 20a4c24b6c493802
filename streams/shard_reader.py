"""The shards of a Kinesis stream and the records that they keep, read a page at a time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_kinesis.literals import ShardIteratorTypeType
    from types_boto3_kinesis.type_defs import RecordTypeDef


class Start(TypedDict):
    """The parameters of GetShardIterator that say where to begin."""

    ShardIteratorType: "ShardIteratorTypeType"
    StartingSequenceNumber: NotRequired[str]
    Timestamp: NotRequired[float]


class ShardReader(Protocol):
    """The part of boto3's Kinesis client that reads a shard."""

    def get_shard_iterator(
        self,
        *,
        StreamName: str,
        ShardId: str,
        ShardIteratorType: "ShardIteratorTypeType",
        StartingSequenceNumber: str = ...,
        Timestamp: Any = ...,  # boto3 also takes a number, which its stubs do not say
    ) -> Mapping[str, Any]:
        """Return an iterator."""
        ...

    def get_records(self, *, ShardIterator: str, Limit: int) -> Mapping[str, Any]:
        """Return the records from an iterator on."""
        ...


class StreamReader(ShardReader, Protocol):
    """The part of boto3's Kinesis client that reads a stream."""

    def list_shards(self, *, StreamName: str = ..., NextToken: str = ...) -> Mapping[str, Any]:
        """Return a page of a stream's shards."""
        ...


OLDEST: Start = {"ShardIteratorType": "TRIM_HORIZON"}
# API reference, GetRecords: at most five calls a second and shard.
PAUSE_SECONDS = 0.2
# After 10 MB at once, a shard answers nobody for up to five seconds (API reference, GetRecords).
THROTTLED_SECONDS = 1.0
MAX_THROTTLED = 30
# API reference, GetRecords: the most that a call gives.
MAX_RECORDS = 10_000

Page = Sequence["RecordTypeDef"]


def shards_of(kinesis: StreamReader, stream: str) -> list[Mapping[str, Any]]:
    """Return the description of every shard of a stream, closed shards included.

    boto3's paginator fails on more than 1,000 shards: it repeats the stream's name on every page,
    which Kinesis refuses (boto/botocore#2009). All pages are read at once, because a token expires
    after 300 seconds.
    """
    answer = kinesis.list_shards(StreamName=stream)
    shards = list(answer["Shards"])
    while token := answer.get("NextToken"):
        answer = kinesis.list_shards(NextToken=token)
        shards += answer["Shards"]
    return shards


def pages(
    kinesis: ShardReader,
    stream: str,
    shard: str,
    *,
    start: Start = OLDEST,
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


def _iterator(kinesis: ShardReader, stream: str, shard: str, where: Start) -> str:
    answer = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **where)
    iterator: str = answer["ShardIterator"]
    return iterator


def _after(page: Page) -> Start | None:
    """The parameters of GetShardIterator that lead behind a page; None if it is empty."""
    if not page:
        return None
    return {
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        "StartingSequenceNumber": page[-1]["SequenceNumber"],
    }


def _patiently(
    kinesis: ShardReader, iterator: str, limit: int, pause: Callable[[float], None]
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
