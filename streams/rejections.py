"""Rejections: records that can never succeed, and the store that keeps them."""

import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from streams.deadline import Deadline
from streams.errors import Reason
from streams.records import SourceRecord, UserRecord
from streams.writer import Json

logger = logging.getLogger(__name__)


class RejectionSource(Struct, frozen=True, gc=False):
    """Where a rejected record came from.

    `arrival_time` is in seconds since the epoch. `sub_sequence_number` counts the user records of
    an aggregated record, from 0; a record that is not aggregated has none.
    """

    stream: str
    shard: str
    sequence_number: str
    sub_sequence_number: int | None
    partition_key: str
    arrival_time: float


class Rejection(Struct, frozen=True, gc=False):
    """A line of a rejection object.

    `data` is the record's payload in base64, as it came, or that of the user record in it.
    """

    reason: Reason
    detail: str
    source: RejectionSource
    model: str
    version: str
    data: str


class S3Writer(Protocol):
    """The part of boto3's S3 client that is used here."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Json:
        """Write one object."""
        ...


class RejectionSink(Protocol):
    """Takes the rejections of a batch."""

    def put(
        self, rejections: Sequence[Rejection], batch: Sequence[SourceRecord], deadline: Deadline
    ) -> bool:
        """Store the rejections; answer whether they are safe."""
        ...


class RejectionStore:
    """Writes the rejections of a batch as one JSON Lines object to S3.

    The key comes from the batch alone, so that a retry of the same batch writes the same object.
    """

    def __init__(self, client: S3Writer, bucket: str, model: str, version: str) -> None:
        self._client = client
        self._bucket = bucket
        self._model = model
        self._version = version

    def put(
        self, rejections: Sequence[Rejection], batch: Sequence[SourceRecord], deadline: Deadline
    ) -> bool:
        """Store the rejections of a batch; answer whether they are safe."""
        if deadline.passed():
            return False
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=rejection_key(self._model, self._version, batch),
                Body=msgspec.json.Encoder().encode_lines(rejections),
                ContentType="application/x-ndjson",
            )
        except Exception:
            logger.exception("the rejections could not be stored in s3://%s", self._bucket)
            return False
        return True


def rejection_key(model: str, version: str, batch: Sequence[SourceRecord]) -> str:
    """`rejected/<model>/<version>/<stream>/<day>/<shard>/<first>-<last>.jsonl`."""
    first, last = batch[0], batch[-1]
    return (
        f"rejected/{model}/{version}/{first.stream}/{first.arrival_date}/{first.shard}/"
        f"{first.sequence_number}-{last.sequence_number}.jsonl"
    )


class NoRejectionStore:
    """Stores nothing, and says so: each rejected record is reported as a failed item."""

    def put(
        self, rejections: Sequence[Rejection], batch: Sequence[SourceRecord], deadline: Deadline
    ) -> bool:
        """Answer that nothing is safe."""
        return False


def rejection_of(
    record: UserRecord, reason: Reason, detail: str, model: str, version: str
) -> Rejection:
    """Return the line that is kept of a user record that can never succeed."""
    return Rejection(
        reason=reason,
        detail=_writable(detail),
        source=RejectionSource(
            stream=record.source.stream,
            shard=record.source.shard,
            sequence_number=record.source.sequence_number,
            sub_sequence_number=record.sub_sequence_number,
            # Half of a surrogate pair cannot be written; a key with one is spelt out.
            partition_key=_writable(record.partition_key),
            arrival_time=record.source.arrival_time,
        ),
        model=model,
        version=version,
        data=_writable(record.data),
    )


def _writable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
