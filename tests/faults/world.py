"""One run: rides and poison in, faults all the way, and the account of what came out."""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched, cycle
from typing import Any

from event_source_mapping.batches import GivenUp
from event_source_mapping.checkpoints import SHARD_END, MemoryCheckpoints
from event_source_mapping.lambda_records import SourceShard
from event_source_mapping.mapping import EventSourceMapping
from event_source_mapping.mapping_settings import MappingSettings, Timings
from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.shards import shards_of
from local.demo_rides import sample_rides
from streams.aggregation import MAGIC, deaggregate
from streams.fakes import FakeS3
from tests.faults.chaos import Tally
from tests.faults.function import (
    DEADLY_ZONE,
    FIELD,
    NAME,
    OUTPUT,
    VERSION,
    FragileFunction,
    minutes,
)
from tests.kpl import aggregate
from tests.polling import until

INPUT = "ride_events"
_DEADLY = json.dumps(
    {"ride": {"PULocationID": DEADLY_ZONE, "DOLocationID": 1, "trip_distance": 1}, "ride_id": -1}
).encode()
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A user record that was put: a ride and its value, or poison."""

    ride_id: int | None
    minutes: float | None
    is_deadly: bool = False


@dataclass(slots=True)
class Report:
    """What became of a run.

    Attributes:
        wrong: What must not be, a line each.
    """

    rides: int = 0
    bad: int = 0
    deadly: int = 0
    invocations: int = 0
    predictions: int = 0
    duplicates: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    slowest_recovery_seconds: float = 0.0
    most_attempts: int = 0
    wrong: list[str] = field(default_factory=list)


class Destination:
    """Keeps what the mapping gives up."""

    def __init__(self) -> None:
        self.sequence_numbers: list[str] = []

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        """Keep a batch."""
        self.sequence_numbers += [record.sequence_number for record in given_up.batch.records]


class World:
    """Streams, bucket, function and mapping, all in memory but for the code under test.

    Args:
        seed: Decides the rides and the faults.
        rides: How many.
        rate: Probability of each fault, at each place.
        kinds: Which faults can strike; none means all.
        deadly_every: One more ride after so many kills its environment; 0 has none.
        packed: Whether predictions are put many in a record.
        settings: Of the mapping, beside those of template.yaml.
    """

    def __init__(
        self,
        seed: int,
        rides: int,
        rate: float,
        *,
        kinds: Sequence[str] = (),
        deadly_every: int = 997,
        packed: bool = False,
        **settings: Any,
    ) -> None:
        self._random = random.Random(seed)
        # The clock may jump by more than a day, and no record is to expire of that.
        self._kinesis = MemoryKinesis(self._jumping_clock, retention_hours=8760)
        self._kinesis.create_stream(StreamName=INPUT, ShardCount=2)
        self._kinesis.create_stream(StreamName=OUTPUT, ShardCount=2)
        self._s3 = FakeS3()
        self._struck = Tally()
        self._function = FragileFunction(
            self._kinesis, self._s3, seed, rate, self._struck, kinds, packed=packed
        )
        self._destination = Destination()
        self._checkpoints = MemoryCheckpoints()
        # By the position of the source record, and that of the ride in it.
        self._sent: dict[tuple[str, int | None], Sent] = {}
        self._shard_of: dict[str, str] = {}
        self._jumps = cycle([0.0] * 50 + [-86_400.0] * 3 + [0.0] * 20 + [40_000.0] * 3)
        self._rides = rides
        self._deadly_every = deadly_every
        self._packed = packed
        self._settings = MappingSettings(
            "Rides",
            INPUT,
            "TRIM_HORIZON",
            **{
                "batch_size": 200,
                "bisect_on_error": True,
                "report_item_failures": True,
                "max_retries": 100,
                "poll_seconds": 0.002,
                "timings": Timings(discovery_seconds=0.02, max_backoff_seconds=0.002),
                **settings,
            },
        )

    def run(self) -> Report:
        """Put everything, with a split and a merge under way; wait for the end; take stock."""
        rides = self._payloads()
        third = -(-len(rides) // 3)
        mapping = EventSourceMapping(
            self._kinesis,
            self._function,
            self._settings,
            self._destination,
            self._checkpoints,
            self._jumping_clock,
        )
        mapping.start()
        try:
            for place, part in enumerate(batched(rides, third, strict=False)):
                self._put(part)
                if place == 0:
                    self._split()
                if place == 1:
                    self._merge()
            until(self._is_done, PATIENCE_SECONDS, 0.02)
        finally:
            mapping.stop()
        return self._report()

    def _jumping_clock(self) -> float:
        """Seconds since the epoch, by a clock that somebody sets now and then."""
        return time.time() + next(self._jumps)

    def _payloads(self) -> list[tuple[str, bytes, list[Sent]]]:
        """Partition key, data and what is in it, of every source record."""
        plain = []
        for number, sample in enumerate(sample_rides(self._rides), start=1):
            # A third of the rides have the ID of the one before, and must come out after it.
            ride_id = number - 1 if number % 3 == 2 else number
            data = sample.data.replace(b'"ride_id":%d' % number, b'"ride_id":%d' % ride_id)
            plain.append((str(ride_id), data, _sent(data, sample.is_bad)))
            if self._deadly_every and number % self._deadly_every == 0:
                plain.append((f"deadly-{number}", _DEADLY, Sent(-1, None, is_deadly=True)))
        return self._some_aggregated(plain)

    def _some_aggregated(
        self, plain: Sequence[tuple[str, bytes, Sent]]
    ) -> list[tuple[str, bytes, list[Sent]]]:
        records = []
        for group in batched(plain, 5, strict=False):
            if self._random.random() < 0.1 and not any(sent.is_deadly for _, _, sent in group):
                data = aggregate([(key, data) for key, data, _ in group])
                records.append((group[0][0], data, [sent for _, _, sent in group]))
            else:
                records += [(key, data, [sent]) for key, data, sent in group]
        return records

    def _put(self, records: Sequence[tuple[str, bytes, list[Sent]]]) -> None:
        for call in batched(records, 500, strict=False):
            entries = [{"PartitionKey": key, "Data": data} for key, data, _ in call]
            answer = self._kinesis.put_records(StreamName=INPUT, Records=entries)
            for (_, _, sent), result in zip(call, answer["Records"], strict=True):
                number = result["SequenceNumber"]
                self._shard_of[number] = result["ShardId"]
                for place, one in enumerate(sent):
                    self._sent[number, place if len(sent) > 1 else None] = one

    def _open_shards(self) -> list[Any]:
        shards = shards_of(self._kinesis, INPUT)
        return [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]

    def _split(self) -> None:
        shard = self._open_shards()[0]
        keys = shard["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
        self._kinesis.split_shard(
            StreamName=INPUT, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
        )

    def _merge(self) -> None:
        one, other = sorted(
            self._open_shards(), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"])
        )[:2]
        self._kinesis.merge_shards(
            StreamName=INPUT, ShardToMerge=one["ShardId"], AdjacentShardToMerge=other["ShardId"]
        )

    def _is_done(self) -> bool:
        """Whether every shard is done to its last record."""
        for shard in shards_of(self._kinesis, INPUT):
            name = shard["ShardId"]
            records = self._kinesis.all_records(INPUT, name)
            checkpoint = self._checkpoints.load(name)
            if records and checkpoint not in (SHARD_END, records[-1]["SequenceNumber"]):
                return False
        return True

    def _report(self) -> Report:
        events = [
            (key, json.loads(data))
            for shard in shards_of(self._kinesis, OUTPUT)
            for record in self._kinesis.all_records(OUTPUT, shard["ShardId"])
            for key, data in _user_records(record)
        ]
        valid = {at: s for at, s in self._sent.items() if s.minutes is not None}
        deadly = {at: s for at, s in self._sent.items() if s.is_deadly}
        bad = {at for at, s in self._sent.items() if s.minutes is None and not s.is_deadly}
        report = Report(
            rides=len(valid),
            bad=len(bad),
            deadly=len(deadly),
            invocations=self._function.invocations,
            predictions=len(events),
            faults=self._struck.by_kind(),
            slowest_recovery_seconds=round(self._function.slowest_recovery, 3),
            most_attempts=self._function.most_attempts,
        )
        by_id = defaultdict(list)
        for key, event in events:
            by_id[event["event_id"]].append((key, event))
        report.duplicates = len(events) - len(by_id)
        report.wrong += self._wrong_predictions(by_id, valid)
        report.wrong += self._unexplained({event_id: len(c) for event_id, c in by_id.items()})
        report.wrong += _wrong_order(events, by_shard=self._packed)
        report.wrong += self._wrong_rejections(bad)
        report.wrong += self._wrong_givings_up({number for number, _ in deadly})
        return report

    def _wrong_predictions(
        self, by_id: Mapping[str, list[Any]], valid: Mapping[tuple[str, int | None], Sent]
    ) -> list[str]:
        wrong = []
        seen = set()
        for event_id, copies in by_id.items():
            at = _position(event_id)
            sent = valid.get(at)
            if sent is None:
                wrong.append(f"{event_id} is of no valid ride")
                continue
            seen.add(at)
            expected = {
                "model": NAME,
                "version": VERSION,
                "prediction": {FIELD: sent.minutes, "ride_id": sent.ride_id},
                "event_id": self._event_id(at),
            }
            if any(copy != (str(sent.ride_id), expected) for copy in copies):
                wrong.append(f"{event_id} says {copies}, not {expected}")
        return wrong + [f"{at}: a valid ride without a prediction" for at in valid.keys() - seen]

    def _unexplained(self, copies: Mapping[str, int]) -> list[str]:
        """Predictions that are there more often than faults and deliveries account for."""
        deliveries, put_again = self._function.deliveries, self._function.put_again.by_kind()
        wrong = list(self._function.unexplained)
        for event_id, count in copies.items():
            _, _, shard, position = event_id.split(":")
            known = deliveries[f"{shard}:{position.partition('.')[0]}"]
            known += put_again.get(event_id, 0)
            if count > known:
                wrong.append(f"{event_id}: {count} times on the output, {known} accounted for")
        return wrong

    def _event_id(self, at: tuple[str, int | None]) -> str:
        number, sub = at
        position = number if sub is None else f"{number}.{sub}"
        return f"{NAME}:{VERSION}:{self._shard_of[number]}:{position}"

    def _wrong_rejections(self, bad: set[tuple[str, int | None]]) -> list[str]:
        distinct: dict[tuple[str, int | None], set[str]] = defaultdict(set)
        for line in self._s3.lines:
            source = line["source"]
            at = source["sequence_number"], source["sub_sequence_number"]
            distinct[at].add(json.dumps(line, sort_keys=True))
        wrong = [f"{at}: a bad record without a rejection" for at in bad - distinct.keys()]
        wrong += [f"{at}: rejected, and not bad" for at in distinct.keys() - bad]
        wrong += [
            f"{at}: {len(r)} different rejections" for at, r in distinct.items() if len(r) > 1
        ]
        return wrong

    def _wrong_givings_up(self, deadly: set[str]) -> list[str]:
        given_up = Counter(self._destination.sequence_numbers)
        wrong = [f"{number}: deadly, and not given up" for number in deadly - given_up.keys()]
        return wrong + [f"{n}: given up, and not deadly" for n in given_up.keys() - deadly]


def _sent(data: bytes, is_bad: bool) -> Sent:
    if is_bad:
        return Sent(None, None)
    event = json.loads(data)
    ride = event["ride"]
    return Sent(event["ride_id"], minutes(ride["trip_distance"], ride["PULocationID"]))


def _user_records(record: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    data = record["Data"]
    return deaggregate(data) if data.startswith(MAGIC) else [(record["PartitionKey"], data)]


def _wrong_order(events: Sequence[tuple[str, Any]], *, by_shard: bool) -> list[str]:
    """Keys whose records, as far as they were put by themselves, first appear in another order.

    By shard it is the order of those of one source shard: packed predictions of a key move to
    another shard when its rides do, in a split.
    """
    firsts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, event in events:
        shard = event["event_id"].split(":")[2] if by_shard else ""
        number, sub = _position(event["event_id"])
        if sub is None and number not in firsts[key, shard]:
            firsts[key, shard].append(number)
    return [f"{key}: came in the order {n}" for (key, _), n in firsts.items() if n != sorted(n)]


def _position(event_id: str) -> tuple[str, int | None]:
    """Sequence number and sub-sequence number of `model:version:shard:number[.sub]`."""
    number, _, sub = event_id.rpartition(":")[2].partition(".")
    return number, int(sub) if sub else None
