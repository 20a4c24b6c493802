"""The parts of boto3's clients that a mapping uses."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict

if TYPE_CHECKING:
    from types_boto3_kinesis.literals import ShardIteratorTypeType


class Start(TypedDict):
    """The parameters of GetShardIterator that say where to begin."""

    ShardIteratorType: "ShardIteratorTypeType"
    StartingSequenceNumber: NotRequired[str]
    Timestamp: NotRequired[float]


class ShardClient(Protocol):
    """A client of Kinesis that reads a shard."""

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


class StreamClient(ShardClient, Protocol):
    """A client of Kinesis that reads a stream."""

    def list_shards(self, *, StreamName: str = ..., NextToken: str = ...) -> Mapping[str, Any]:
        """Return a page of a stream's shards."""
        ...


class SourceClient(StreamClient, Protocol):
    """A client of Kinesis that reads the stream of a mapping."""

    def describe_stream_summary(self, *, StreamName: str) -> Mapping[str, Any]:
        """Return a stream's ARN and retention."""
        ...


class QueueClient(Protocol):
    """A client of SQS that sends messages."""

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:
        """Send one message."""
        ...


class BucketClient(Protocol):
    """A client of S3 that writes objects."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> object:
        """Write one object."""
        ...
