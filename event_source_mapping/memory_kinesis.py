"""Kinesis in memory, as far as producers, mappings and functions call it: for tests, and for speed.

Unlike moto's, its shards close when they are split or merged, as "Reshard a stream" (Amazon Kinesis
Data Streams Developer Guide) has it: what they hold stays in them, and reading ends there.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from event_source_mapping.environment import ACCOUNT, REGION
from event_source_mapping.shards import page_of

Json = Mapping[str, Any]

_LAST_KEY = 2**128 - 1
# API reference, GetRecords and CreateStream.
_MAX_READ_BYTES = 10 * 1024 * 1024
_RETENTION_HOURS = 24


@dataclass(slots=True)
class _Shard:
    shard_id: str
    first_key: int
    last_key: int
    parents: Sequence[str] = ()
    starts: int = 0
    ends: int | None = None
    records: list[dict[str, Any]] = field(default_factory=list)

    @property
    def described(self) -> dict[str, Any]:
        numbers = {"StartingSequenceNumber": _number(self.starts)}
        if self.ends is not None:
            numbers["EndingSequenceNumber"] = _number(self.ends)
        names = zip(("ParentShardId", "AdjacentParentShardId"), self.parents, strict=False)
        return {
            "ShardId": self.shard_id,
            "HashKeyRange": {
                "StartingHashKey": str(self.first_key),
                "EndingHashKey": str(self.last_key),
            },
            "SequenceNumberRange": numbers,
            **dict(names),
        }


class MemoryKinesis:
    """A client of Kinesis whose streams are in memory; safe to use from many threads.

    Args:
        now: Seconds since the epoch, for arrival times.
        retention_hours: What streams say of how long they keep records; here, they keep them.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, retention_hours: int = _RETENTION_HOURS
    ) -> None:
        self.now = now
        self._retention_hours = retention_hours
        self._lock = threading.Lock()
        self._streams: dict[str, list[_Shard]] = {}
        self._sequence = 0

    def create_stream(self, *, StreamName: str, ShardCount: int) -> Json:
        """Make a stream."""
        width = 2**128 // ShardCount
        self._streams[StreamName] = [
            _Shard(
                _shard_id(place),
                place * width,
                _LAST_KEY if place == ShardCount - 1 else (place + 1) * width - 1,
            )
            for place in range(ShardCount)
        ]
        return {}

    def describe_stream_summary(self, *, StreamName: str) -> Json:
        """A stream's ARN and retention."""
        self._shards(StreamName)
        return {
            "StreamDescriptionSummary": {
                "StreamName": StreamName,
                "StreamARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{StreamName}",
                "RetentionPeriodHours": self._retention_hours,
            }
        }

    def list_shards(
        self,
        *,
        StreamName: str | None = None,
        NextToken: str | None = None,
        MaxResults: int | None = None,
    ) -> Json:
        """Return a page of a stream's shards, closed shards included."""
        try:
            shards, token = page_of(
                self._shards, stream=StreamName, token=NextToken, max_results=MaxResults
            )
        except ValueError as error:
            raise _error("InvalidArgumentException", str(error)) from None
        following = {"NextToken": token} if token else {}
        return {"Shards": [shard.described for shard in shards], **following}

    def put_record(self, *, StreamName: str, Data: bytes, PartitionKey: str) -> Json:
        """Put one record."""
        entry = {"Data": Data, "PartitionKey": PartitionKey}
        (result,) = self.put_records(StreamName=StreamName, Records=[entry])["Records"]
        return dict(result)

    def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
        """Put records, each onto the open shard of its partition key."""
        with self._lock:
            results = [self._put(StreamName, entry) for entry in Records]
        return {"FailedRecordCount": 0, "Records": results}

    def get_shard_iterator(
        self,
        *,
        StreamName: str,
        ShardId: str,
        ShardIteratorType: str,
        StartingSequenceNumber: str = "",
        Timestamp: float = 0,
    ) -> Json:
        """Where to read on; the iterator never expires."""
        records = self._shard(StreamName, ShardId).records
        wanted: Callable[[Json], bool] = {
            "TRIM_HORIZON": lambda _: True,
            "LATEST": lambda _: False,
            "AT_TIMESTAMP": lambda r: r["ApproximateArrivalTimestamp"].timestamp() >= Timestamp,
            "AT_SEQUENCE_NUMBER": lambda r: r["SequenceNumber"] >= StartingSequenceNumber,
            "AFTER_SEQUENCE_NUMBER": lambda r: r["SequenceNumber"] > StartingSequenceNumber,
        }[ShardIteratorType]
        place = next((n for n, record in enumerate(records) if wanted(record)), len(records))
        return {"ShardIterator": f"{StreamName}/{ShardId}/{place}"}

    def get_records(self, *, ShardIterator: str, Limit: int = 10_000) -> Json:
        """The records from an iterator on; no further iterator at the end of a closed shard."""
        stream, shard_id, place = ShardIterator.split("/")
        shard = self._shard(stream, shard_id)
        with self._lock:
            records = list(_fitting(shard.records[int(place) : int(place) + Limit]))
            following = int(place) + len(records)
            is_last = following == len(shard.records)
            ended = shard.ends is not None and is_last
        return {
            "Records": records,
            # How far is not known here, but whether there is more.
            "MillisBehindLatest": 0 if is_last else 1,
            "NextShardIterator": None if ended else f"{stream}/{shard_id}/{following}",
        }

    def split_shard(self, *, StreamName: str, ShardToSplit: str, NewStartingHashKey: str) -> Json:
        """Close a shard, and open two in its place."""
        with self._lock:
            parent, middle = self._shard(StreamName, ShardToSplit), int(NewStartingHashKey)
            self._open(StreamName, parent.first_key, middle - 1, [parent])
            self._open(StreamName, middle, parent.last_key, [parent])
        return {}

    def merge_shards(
        self, *, StreamName: str, ShardToMerge: str, AdjacentShardToMerge: str
    ) -> Json:
        """Close two shards that are neighbours, and open one in their place."""
        with self._lock:
            parents = [self._shard(StreamName, s) for s in (ShardToMerge, AdjacentShardToMerge)]
            first = min(parent.first_key for parent in parents)
            last = max(parent.last_key for parent in parents)
            self._open(StreamName, first, last, parents)
        return {}

    def all_records(self, stream: str, shard_id: str) -> Sequence[Json]:
        """Everything that a shard holds, in order."""
        return self._shard(stream, shard_id).records

    def _open(self, stream: str, first: int, last: int, parents: Sequence[_Shard]) -> None:
        shards = self._shards(stream)
        for parent in parents:
            parent.ends = self._sequence
        names = [parent.shard_id for parent in parents]
        shard_id = _shard_id(len(shards))
        shards.append(_Shard(shard_id, first, last, names, starts=self._sequence + 1))

    def _put(self, stream: str, entry: Json) -> dict[str, str]:
        key = _hash_key(entry["PartitionKey"])
        shard = next(
            s for s in self._shards(stream) if s.ends is None and s.first_key <= key <= s.last_key
        )
        self._sequence += 1
        number = _number(self._sequence)
        arrival = datetime.fromtimestamp(self.now(), UTC)
        shard.records.append(
            {**entry, "SequenceNumber": number, "ApproximateArrivalTimestamp": arrival}
        )
        return {"SequenceNumber": number, "ShardId": shard.shard_id}

    def _shards(self, stream: str) -> list[_Shard]:
        if stream not in self._streams:
            raise _error("ResourceNotFoundException", f"no stream {stream}")
        return self._streams[stream]

    def _shard(self, stream: str, shard_id: str) -> _Shard:
        return next(shard for shard in self._shards(stream) if shard.shard_id == shard_id)


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Kinesis")


def _fitting(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first records, as far as one answer holds them; at least one, if there is one."""
    size = 0
    for record in records:
        size += len(record["Data"])
        if size > max(_MAX_READ_BYTES, len(record["Data"])):
            return
        yield record


def _number(sequence: int) -> str:
    # Of one length, so that they compare as texts, too, and without zeros ahead, as Kinesis' own.
    return f"49{sequence:054d}"


def _shard_id(place: int) -> str:
    return f"shardId-{place:012d}"


def _hash_key(partition_key: str) -> int:
    """Return the hash key of a partition key: its MD5 (API reference, PutRecordsRequestEntry)."""
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())
