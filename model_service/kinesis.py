"""What Lambda hands over: a batch of Kinesis records.

The shape is that of "Using Lambda to process records from Amazon Kinesis Data Streams" (AWS Lambda
Developer Guide).
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from model_service.aggregation import MAGIC, deaggregate
from model_service.errors import EventError
from model_service.events import Reason, Rejected

# The last second of the year 9999, where Python's calendar ends.
_MAX_EPOCH_SECONDS = 253_402_300_799


class _Payload(Struct, frozen=True, rename="camel", gc=False):
    data: str
    partition_key: str
    sequence_number: Annotated[str, Meta(pattern=r"\A[0-9]{1,129}\Z")]
    approximate_arrival_timestamp: Annotated[float, Meta(ge=0, le=_MAX_EPOCH_SECONDS)]


class SourceRecord(Struct, frozen=True, gc=False):
    """One record of the input stream, as Lambda delivers it."""

    kinesis: _Payload
    event_id: Annotated[str, Meta(pattern=r"\A[^:]+:")] = field(name="eventID")
    event_source_arn: str = field(name="eventSourceARN")

    @property
    def data(self) -> str:
        """The payload, in base64."""
        return self.kinesis.data

    @property
    def sequence_number(self) -> str:
        """Decimal digits; it grows along a shard."""
        return self.kinesis.sequence_number

    @property
    def partition_key(self) -> str:
        """The key the producer put the record with."""
        return self.kinesis.partition_key

    @property
    def arrival_time(self) -> float:
        """When the stream took the record, in seconds since the epoch."""
        return self.kinesis.approximate_arrival_timestamp

    @property
    def arrival_date(self) -> str:
        """The day of `arrival_time` in UTC, as YYYY-MM-DD."""
        return datetime.fromtimestamp(self.arrival_time, UTC).date().isoformat()

    @property
    def shard(self) -> str:
        """The shard ID, which is the part of `eventID` before the colon."""
        return self.event_id.partition(":")[0]

    @property
    def position(self) -> str:
        """Shard and sequence number."""
        return f"{self.shard}:{self.sequence_number}"

    @property
    def stream(self) -> str:
        """The stream's name, which is the part of its ARN after the slash."""
        return self.event_source_arn.rpartition("/")[2]


class UserRecord(Struct, frozen=True, gc=False):
    """What a producer sent: a record, or one of those that were aggregated into a record.

    Attributes:
        source: The record that holds it.
        payload: Its bytes; empty if the record's data cannot be decoded.
        partition_key: The key the producer put it with.
        sub_sequence_number: Its place among those in the record, from 0; None if it is alone.
    """

    source: SourceRecord
    payload: bytes
    partition_key: str
    sub_sequence_number: int | None = None

    @property
    def position(self) -> str:
        """Shard and sequence number, with the place in an aggregated record after a dot."""
        if self.sub_sequence_number is None:
            return self.source.position
        return f"{self.source.position}.{self.sub_sequence_number}"

    @property
    def data(self) -> str:
        """The payload in base64, to the letter as it came if it came alone."""
        if self.sub_sequence_number is None:
            return self.source.data
        return base64.b64encode(self.payload).decode()


def user_records(record: SourceRecord) -> list[UserRecord]:
    """The user records of a record: itself, or those that the KPL aggregated into it.

    Raises:
        Rejected: The data is not base64, or begins like an aggregated record and is none.
    """
    try:
        payload = binascii.a2b_base64(record.data, strict_mode=True)
    except ValueError as error:
        raise Rejected(Reason.INVALID_BASE64, f"the data is not base64: {error}") from None
    if not payload.startswith(MAGIC):
        return [UserRecord(record, payload, record.partition_key)]
    try:
        aggregated = deaggregate(payload)
    except ValueError as error:
        raise Rejected(
            Reason.INVALID_AGGREGATE, f"the data is not a KPL aggregated record: {error}"
        ) from None
    return [
        UserRecord(record, data, partition_key, place)
        for place, (partition_key, data) in enumerate(aggregated)
    ]


class _Event(Struct, frozen=True, gc=False):
    records: list[SourceRecord] = field(name="Records")


def source_records(event: Mapping[str, Any]) -> list[SourceRecord]:
    """The records of an invocation, in the order of the shard.

    Raises:
        EventError: The event is not a Kinesis batch; the message names the field.
    """
    try:
        return msgspec.convert(event, _Event).records
    except msgspec.ValidationError as error:
        raise EventError(f"this is not a batch of Kinesis records: {error}") from None


def lowest(records: list[SourceRecord]) -> SourceRecord:
    """The record that Lambda would take as the checkpoint: the lowest sequence number."""
    return min(records, key=lambda record: int(record.sequence_number))
