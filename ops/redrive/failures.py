"""What failed: the rejections and the given-up batches that a failures bucket holds.

Rejections are the function's own (`streams.writer.RejectionStore`). Batches that the event
source mapping gave up are objects in AWS's format ("Retain discarded batch records for a Kinesis
Data Streams event source in Lambda", AWS Lambda Developer Guide): the event of the invocation is
their `payload`.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Struct, field

from ops.lambda_events import source_record
from streams.errors import EventError
from streams.records import SourceRecord, source_records
from streams.rejections import Rejection, RejectionSource

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import ObjectTypeDef


class Kind(StrEnum):
    """Who gave a record up."""

    REJECTION = "rejection"
    BATCH = "batch"


class Identity(NamedTuple):
    """A source record, or one user record of an aggregated one, whoever gave it up."""

    stream: str
    shard: str
    sequence_number: str
    sub_sequence_number: int | None

    @property
    def position(self) -> str:
        """Shard and sequence number, as in event IDs: `shard:sequence number[.place]`."""
        place = "" if self.sub_sequence_number is None else f".{self.sub_sequence_number}"
        return f"{self.shard}:{self.sequence_number}{place}"

    @property
    def whole(self) -> "Identity":
        """The source record that it is, or is a user record of."""
        return self._replace(sub_sequence_number=None)

    def is_at(self, position: str) -> bool:
        """Whether it has this position, or is a user record of the record that has."""
        return position in (self.position, f"{self.shard}:{self.sequence_number}")


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that was given up.

    Attributes:
        kind: Who gave it up.
        reason: The rejection's code, or AWS's condition of a batch.
        detail: One line for a person.
        model: The model that rejected it, or the function whose batch it was in.
        version: The model's, or the function's; `-` if AWS did not say.
        source: Where the record came from.
        data: Its bytes in base64.
        key: The object it is in.
        index: Its place in that object, from 0.
    """

    kind: Kind
    reason: str
    detail: str
    model: str
    version: str
    source: RejectionSource
    data: str
    key: str
    index: int

    @property
    def identity(self) -> Identity:
        """The source record."""
        return identity_of(self.source)

    @property
    def payload(self) -> bytes:
        """Its original bytes.

        Raises:
            ValueError: The data is not base64.
        """
        return base64.b64decode(self.data, validate=True)


def identity_of(source: RejectionSource) -> Identity:
    """The source record that a rejection names."""
    return Identity(source.stream, source.shard, source.sequence_number, source.sub_sequence_number)


@dataclass(frozen=True, slots=True)
class Place:
    """An object that holds failures, as far as its key tells.

    `modified` is in seconds since the epoch, `size` in bytes. What a key does not tell is None;
    `first` and `last` are the sequence numbers between which the records are.
    """

    key: str
    size: int
    modified: float
    kind: Kind
    shard: str
    model: str | None = None
    version: str | None = None
    stream: str | None = None
    first: int | None = None
    last: int | None = None

    def spans(self, number: int) -> bool:
        """Whether a sequence number is between those of the object, as far as its key tells."""
        if self.first is None or self.last is None:
            return True
        return self.first <= number <= self.last


PREFIXES = {Kind.REJECTION: "rejected/", Kind.BATCH: "aws/lambda/"}
_REJECTED = re.compile(
    r"rejected/(?P<model>[^/]+)/(?P<version>[^/]+)/(?P<stream>[^/]+)/[^/]+/(?P<shard>[^/]+)/"
    r"(?P<first>\d+)-(?P<last>\d+)\.jsonl"
)
# "aws/lambda/<ESM-UUID>/<shardID>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<Random UUID>". Other functions'
# asynchronous failures are beside it, under aws/lambda/async/.
_BATCH = re.compile(r"aws/lambda/[^/]+/(?P<shard>shardId-[^/]+)/\d{4}/\d\d/\d\d/[^/]+")


class Pages(Protocol):
    """boto3's paginator of a bucket's objects."""

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterable[Mapping[str, Any]]:
        """Return the pages of the objects under a prefix."""
        ...


class BucketClient(Protocol):
    """The part of boto3's S3 client that is used here."""

    def get_paginator(self, operation_name: Literal["list_objects_v2"], /) -> Pages:
        """List objects page by page."""
        ...

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """Return one object, whose `Body` is a stream."""
        ...

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes, ContentType: str, IfNoneMatch: str = ...
    ) -> object:
        """Write one object."""
        ...


class FailureStore:
    """Reads a failures bucket.

    Args:
        s3: boto3's S3 client.
        bucket: Name of the bucket.
        report: Is told of each object that cannot be read, in one line.

    Every method raises botocore's errors where S3 does not answer.
    """

    def __init__(self, s3: BucketClient, bucket: str, report: Callable[[str], None]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._report = report

    def places(self, kind: Kind | None = None) -> Iterator[Place]:
        """The objects that hold failures: rejections, then batches."""
        for each in [kind] if kind else PREFIXES:
            for entry in listed(self._s3, self._bucket, PREFIXES[each]):
                place = _place(each, entry)
                if place:
                    yield place

    def read(self, place: Place) -> list[Failure]:
        """The failures of an object; none, and a report, if it cannot be understood."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=place.key)
        parse = _rejections if place.kind is Kind.REJECTION else _batch
        try:
            return parse(place.key, answer["Body"].read())
        except (ValueError, EventError) as error:
            self._report(f"s3://{self._bucket}/{place.key} is passed over: {error}")
            return []


def listed(s3: BucketClient, bucket: str, prefix: str) -> "Iterator[ObjectTypeDef]":
    """The entries of a bucket under a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def place_of(key: str) -> Place | None:
    """What an object's key tells; None if it is not one that holds failures."""
    return _place(
        Kind.REJECTION if key.startswith(PREFIXES[Kind.REJECTION]) else Kind.BATCH, {"Key": key}
    )


def _place(kind: Kind, entry: "ObjectTypeDef") -> Place | None:
    found = (_REJECTED if kind is Kind.REJECTION else _BATCH).fullmatch(entry["Key"])
    if not found:
        return None
    told: dict[str, Any] = found.groupdict()
    told |= {name: int(told[name]) for name in ("first", "last") if name in told}
    modified = entry.get("LastModified")
    return Place(
        key=entry["Key"],
        size=entry.get("Size", 0),
        modified=modified.timestamp() if modified else 0.0,
        kind=kind,
        **told,
    )


_decode_rejection = msgspec.json.Decoder(Rejection).decode


def _rejections(key: str, body: bytes) -> list[Failure]:
    rejections = [_decode_rejection(line) for line in body.splitlines()]
    for rejection in rejections:
        # For its checks: nobody can sort by a sequence number that is none.
        source_record(rejection.source, rejection.data)
    return [
        Failure(
            kind=Kind.REJECTION,
            reason=rejection.reason,
            detail=rejection.detail,
            model=rejection.model,
            version=rejection.version,
            source=rejection.source,
            data=rejection.data,
            key=key,
            index=index,
        )
        for index, rejection in enumerate(rejections)
    ]


class _Request(Struct, rename="camel"):
    function_arn: str
    condition: str
    approximate_invoke_count: int = 0


class _Response(Struct, rename="camel"):
    executed_version: str = "-"
    function_error: str | None = None


class _GivenUp(Struct, rename="camel"):
    """The part of AWS's on-failure object that is used here.

    `batch` is there to be required: other event sources have another field in its place.
    """

    request_context: _Request
    batch: dict[str, Any] = field(name="KinesisBatchInfo")
    payload: str
    response_context: _Response = field(default_factory=_Response)


_decode_given_up = msgspec.json.Decoder(_GivenUp).decode


def _batch(key: str, body: bytes) -> list[Failure]:
    given_up = _decode_given_up(body)
    request, response = given_up.request_context, given_up.response_context
    detail = f"given up after {request.approximate_invoke_count} invocations"
    if response.function_error:
        detail += f", the last with the function error {response.function_error}"
    return [
        Failure(
            kind=Kind.BATCH,
            reason=request.condition,
            detail=detail,
            model=request.function_arn.partition(":function:")[2],
            version=response.executed_version,
            source=_source(record),
            data=record.data,
            key=key,
            index=index,
        )
        for index, record in enumerate(source_records(msgspec.json.decode(given_up.payload)))
    ]


def _source(record: SourceRecord) -> RejectionSource:
    return RejectionSource(
        stream=record.stream,
        shard=record.shard,
        sequence_number=record.sequence_number,
        sub_sequence_number=None,
        partition_key=record.partition_key,
        arrival_time=record.arrival_time,
    )
