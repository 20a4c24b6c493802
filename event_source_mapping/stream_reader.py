"""Reads shards in order: one from where a mapping begins or began, or all of a stream."""

import logging
from typing import TYPE_CHECKING

from event_source_mapping.clients import ShardClient, Start, StreamClient
from event_source_mapping.lambda_records import Record
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.shards import shards_of

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import RecordTypeDef

logger = logging.getLogger(__name__)

# API reference, GetRecords: at most 10,000 records.
_MAX_RECORDS_A_CALL = 10_000


class ShardReader:
    """Reads a shard.

    Args:
        kinesis: boto3's Kinesis client.
        settings: Where to begin.
        shard_id: What to read.
        after: Sequence number to read on from; None begins as the settings say.
        now: Seconds since the epoch.

    Attributes:
        closed: Whether the shard is at its end: it was split or merged, and all of it is read.
        behind: Whether the last read left records that could be read at once.
    """

    def __init__(
        self,
        kinesis: ShardClient,
        settings: MappingSettings,
        shard_id: str,
        *,
        after: str | None,
        now: float,
    ) -> None:
        self.closed = False
        self.behind = False
        self._kinesis = kinesis
        self._place = {"StreamName": settings.stream, "ShardId": shard_id}
        self._start = _start(settings, after)
        # TRIM_HORIZON can be asked for later; what LATEST means depends on when it is asked.
        self._iterator: str | None = self._open_iterator()
        if self._start["ShardIteratorType"] == "LATEST":
            self._start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": now}

    def read(self) -> list[Record]:
        """What came since the last call; nothing if it cannot be read at the moment."""
        if self.closed:
            return []
        try:
            iterator = self._iterator or self._open_iterator()
            answer = self._kinesis.get_records(ShardIterator=iterator, Limit=_MAX_RECORDS_A_CALL)
            records = [_record(record) for record in answer["Records"]]
        except Exception:
            # An expired iterator, a throttled read, an endpoint that is gone or answers with
            # something else: read on from the last record read, with the next poll.
            logger.exception("reading %s failed", self._place["ShardId"])
            self._iterator = None
            self.behind = False
            return []
        self._iterator = answer.get("NextShardIterator")
        self.closed = self._iterator is None
        self.behind = not self.closed and answer.get("MillisBehindLatest", 0) > 0
        if records:
            self._start = _after(records[-1].sequence_number)
        return records

    def _open_iterator(self) -> str:
        answer = self._kinesis.get_shard_iterator(**self._place, **self._start)
        return str(answer["ShardIterator"])


class StreamReader:
    """Reads the shards of a stream, as they are now, from their beginning."""

    def __init__(self, kinesis: StreamClient, stream: str) -> None:
        settings = MappingSettings("reader", stream, "TRIM_HORIZON")
        self._shards = [
            ShardReader(kinesis, settings, shard["ShardId"], after=None, now=0)
            for shard in shards_of(kinesis, stream)
        ]

    def read(self) -> list[Record]:
        """What came since the last call, each shard's records in order."""
        return [record for shard in self._shards for record in shard.read()]


def _start(settings: MappingSettings, after: str | None) -> Start:
    if after is not None:
        return _after(after)
    start: Start = {"ShardIteratorType": settings.starting_position}
    if settings.starting_timestamp is not None:
        start["Timestamp"] = settings.starting_timestamp
    return start


def _after(sequence_number: str) -> Start:
    return {
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        "StartingSequenceNumber": sequence_number,
    }


def _record(record: "RecordTypeDef") -> Record:
    return Record(
        sequence_number=record["SequenceNumber"],
        partition_key=record["PartitionKey"],
        data=record["Data"],
        arrival_time=record["ApproximateArrivalTimestamp"].timestamp(),
    )
