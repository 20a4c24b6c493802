"""What Lambda hands over: a batch of Kinesis records.

The shape is that of "Using Lambda to process records from Amazon Kinesis Data Streams" (AWS Lambda
Developer Guide).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from streams.aggregation import MAGIC, deaggregate
from streams.errors import EventError, Reason, Rejected

# The last second of the year 9999, where Python's calendar ends.
_MAX_EPOCH_SECONDS = 253_402_300_799
# API reference, Record: a sequence number has up to 128 digits, or is 0.
_MAX_DIGITS = 129
# API reference, Shard.
_is_shard_id = re.compile(r"[a-zA-Z0-9_.-]{1,128}").fullmatch
_POSITION_ALLOWED = (
    "<shard ID>:<sequence number>, a shard ID of 1 to 128 letters, digits, '_', '.' and '-'"
)
_SHOWN = 80


class _Payload(Struct, frozen=True, rename="camel", gc=False):
    data: bytes
    partition_key: str
    sequence_number: Annotated[str, Meta(min_length=1, max_length=_MAX_DIGITS)]
    approximate_arrival_timestamp: Annotated[float, Meta(ge=0, le=_MAX_EPOCH_SECONDS)]
    # What came as the data, if that is not base64.
    undecoded: str | None = None


class SourceRecord(Struct, frozen=True, gc=False):
    """One record of the input stream, as Lambda delivers it.

    It is its own user record, unless it is an aggregated one.

    Attributes:
        kinesis: What the stream keeps of it.
        position: Shard and sequence number, with a colon between: AWS's `eventID`.
    """

    kinesis: _Payload
    position: str = field(name="eventID")
    event_source_arn: str = field(name="eventSourceARN")

    @property
    def payload(self) -> bytes:
        """Its bytes; empty if its data is not base64."""
        return self.kinesis.data

    @property
    def data(self) -> str:
        """The payload, in base64; or what came in its place."""
        if self.kinesis.undecoded is not None:
            return self.kinesis.undecoded
        return base64.b64encode(self.kinesis.data).decode()

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
        """The shard ID."""
        return self.position.partition(":")[0]

    @property
    def source(self) -> "SourceRecord":
        """The record that holds this one: itself."""
        return self

    @property
    def sub_sequence_number(self) -> None:
        """Its place in an aggregated record: none."""
        return None

    @property
    def stream(self) -> str:
        """The stream's name. With enhanced fan-out the ARN names a consumer after the stream."""
        return self.event_source_arn.rpartition(":stream/")[2].partition("/")[0]


class AggregatedRecord(Struct, frozen=True, gc=False):
    """A user record that a producer aggregated with others into one record.

    Attributes:
        source: The record that holds it.
        payload: Its bytes.
        partition_key: The key the producer put it with.
        sub_sequence_number: Its place among those in the record, from 0.
    """

    source: SourceRecord
    payload: bytes
    partition_key: str
    sub_sequence_number: int

    @property
    def position(self) -> str:
        """Shard and sequence number, with the place in the record after a dot."""
        return f"{self.source.position}.{self.sub_sequence_number}"

    @property
    def data(self) -> str:
        """The payload in base64."""
        return base64.b64encode(self.payload).decode()


# What a producer sent.
UserRecord = SourceRecord | AggregatedRecord


def user_records(record: SourceRecord) -> Sequence[UserRecord]:
    """The user records of a record: itself, or those that the KPL aggregated into it.

    Raises:
        Rejected: The data is not base64, or begins like an aggregated record and is none.
    """
    payload = _decode_data(record)
    return _aggregated_records(record, payload) if payload.startswith(MAGIC) else [record]


def _decode_data(record: SourceRecord) -> bytes:
    undecoded = record.kinesis.undecoded
    if undecoded is None:
        return record.kinesis.data
    try:
        return _decode_base64(undecoded)
    except ValueError as error:
        raise Rejected(Reason.INVALID_BASE64, f"the data is not base64: {error}") from None


def _aggregated_records(record: SourceRecord, payload: bytes) -> list[AggregatedRecord]:
    try:
        aggregated = deaggregate(payload)
    except ValueError as error:
        raise Rejected(
            Reason.INVALID_AGGREGATE, f"the data is not a KPL aggregated record: {error}"
        ) from None
    return [
        AggregatedRecord(record, data, partition_key, place)
        for place, (partition_key, data) in enumerate(aggregated)
    ]


class _Event(Struct, frozen=True, gc=False):
    records: list[SourceRecord] = field(name="Records")


class _Undecoded(Struct, frozen=True, gc=False):
    records: list[dict[str, Any]] = field(name="Records")


def source_records(event: Mapping[str, Any]) -> list[SourceRecord]:
    """The records of an invocation, in the order of the shard.

    Raises:
        EventError: The event is not a Kinesis batch; the message names the field.
    """
    try:
        records = msgspec.convert(event, _Event).records
    except ValueError:  # of msgspec, or of text that no encoding has
        records = _records_of_bad_base64(event)
    return records if _are_positioned(records) else list(map(_positioned, count(), records))


def _are_positioned(records: Sequence[SourceRecord]) -> bool:
    """Whether all have digits for a sequence number, and a position on one shard that ends so."""
    if not records:
        return True
    # As one text, and not by a pattern: one by one takes longer than to decode them.
    shard = records[0].shard
    numbers = [record.kinesis.sequence_number for record in records]
    if not (_is_shard_id(shard) and _are_digits("".join(numbers))):
        return False
    # Neither has a line break, so that nothing but the same records makes the same text.
    wanted = f"{shard}:" + f"\n{shard}:".join(numbers)
    return wanted == "\n".join([record.position for record in records])


def _are_digits(text: str) -> bool:
    # As bytes, which takes a tenth of the time.
    return text.encode(errors="replace").isdigit()


def _records_of_bad_base64(event: Mapping[str, Any]) -> list[SourceRecord]:
    """The records of an event, where some record's data is not base64: a fault of that one only."""
    try:
        records = msgspec.convert(event, _Undecoded).records
        return msgspec.convert({"Records": list(map(_without_bad_base64, records))}, _Event).records
    except ValueError as error:
        raise EventError(f"this is not a batch of Kinesis records: {error}") from None


def _without_bad_base64(record: dict[str, Any]) -> dict[str, Any]:
    payload = record.get("kinesis")
    if not isinstance(payload, dict) or not isinstance(data := payload.get("data"), str):
        return record  # which fails, and is told of by name
    try:
        _decode_base64(data)
    except ValueError:
        return {**record, "kinesis": {**payload, "data": "", "undecoded": data}}
    return record


def _decode_base64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _positioned(place: int, record: SourceRecord) -> SourceRecord:
    """The record, with its position spelt as AWS does, whatever an emulator puts there.

    Raises:
        EventError: It has no sequence number, or no shard.
    """
    number, event_id = record.kinesis.sequence_number, record.position
    if not _are_digits(number):
        field, value, allowed = "kinesis.sequenceNumber", number, f"1 to {_MAX_DIGITS} digits"
    elif ":" not in event_id or not _is_shard_id(record.shard):
        field, value, allowed = "eventID", event_id, _POSITION_ALLOWED
    else:
        return replace(record, position=f"{record.shard}:{number}")
    raise EventError(
        f"this is not a batch of Kinesis records: Records[{place}].{field} is {value[:_SHOWN]!r}; "
        f"it must be {allowed}"
    )


class ItemFailure(TypedDict):
    """The first record of a batch that Lambda delivers again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """A partial batch response, as a handler returns it to Lambda."""

    batchItemFailures: list[ItemFailure]


def item_failures(unfinished: list[SourceRecord]) -> list[ItemFailure]:
    """What a handler answers as `batchItemFailures`: the record to go on from, if there is one."""
    return [{"itemIdentifier": lowest(unfinished).sequence_number}] if unfinished else []


def lowest(records: list[SourceRecord]) -> SourceRecord:
    """The record that Lambda would take as the checkpoint: the lowest sequence number."""
    return min(records, key=lambda record: int(record.sequence_number))
