"""Records of a shard, and how Lambda hands them to a function."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from event_source_mapping.environment import ACCOUNT

# Lambda quotas: 6 MB for a synchronous invocation's payload.
MAX_EVENT_BYTES = 6 * 1024 * 1024
# What a record's event has beside data and keys; names and numbers are of nearly equal length.
_RECORD_OVERHEAD_BYTES = 600


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies on a shard; `arrival_time` is in seconds since the epoch."""

    sequence_number: str
    partition_key: str
    data: bytes
    arrival_time: float

    @property
    def event_size(self) -> int:
        """Bytes that the record takes in an event, at most."""
        return len(self.data) * 4 // 3 + 6 * len(self.partition_key) + _RECORD_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class SourceShard:
    """A shard of an input stream."""

    stream_arn: str
    shard_id: str

    @property
    def region(self) -> str:
        """The stream's region."""
        return self.stream_arn.split(":")[3]


def lambda_event(records: Sequence[Record], shard: SourceShard) -> dict[str, Any]:
    """The event for a batch, as in "Using Lambda to process records from Amazon Kinesis"."""
    return {"Records": [_lambda_record(record, shard) for record in records]}


def _lambda_record(record: Record, shard: SourceShard) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence_number,
            "data": base64.b64encode(record.data).decode(),
            "approximateArrivalTimestamp": record.arrival_time,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard.shard_id}:{record.sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/local",
        "awsRegion": shard.region,
        "eventSourceARN": shard.stream_arn,
    }


def head(records: Sequence[Record], batch_size: int) -> list[Record]:
    """The records at the head that fit into one invocation; at least one, if there is one."""
    return list(_fitting(islice(records, batch_size)))


def _fitting(records: Iterator[Record]) -> Iterator[Record]:
    size = 0
    for record in records:
        size += record.event_size
        if size > MAX_EVENT_BYTES and size > record.event_size:
            return
        yield record
