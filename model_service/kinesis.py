"""What Lambda hands over: a batch of Kinesis records.

The shape is that of "Using Lambda to process records from Amazon Kinesis Data Streams" (AWS Lambda
Developer Guide).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from model_service.errors import EventError

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
    def stream(self) -> str:
        """The stream's name, which is the part of its ARN after the slash."""
        return self.event_source_arn.rpartition("/")[2]


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
