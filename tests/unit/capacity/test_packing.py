"""Packed predictions as the model counts them, held against those that the function makes."""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from math import ceil
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.packing import busiest_shard, packed
from capacity.plan import plan
from capacity.streams import Flow
from streams.aggregation import aggregate
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, kinesis_event
from streams.packed_writer import GROUPS, MAX_PACKED_BYTES, PackedWriter
from streams.records import source_records
from streams.writer import Entry, StreamWriter
from tests.unit.capacity.scenarios import PRICES, scenario


def put(ride_ids: Sequence[int], size: int) -> FakeKinesis:
    """Predictions of these rides, as the function packs and puts those of a batch."""
    kinesis = FakeKinesis()
    records = source_records(kinesis_event([b""] * len(ride_ids)))
    entries = [
        Entry(record, str(ride_id), b"x" * size, record.sequence_number)
        for record, ride_id in zip(records, ride_ids, strict=True)
    ]
    stream = PackedWriter(StreamWriter(kinesis, "ride_predictions"))
    assert stream.put(entries, Deadline(60)) == []
    return kinesis


def counted(rides: int, size: int) -> Flow:
    return packed(rides, scenario(prediction_bytes=size), PRICES.aggregation)


@given(st.integers(1, 600), st.integers(130, 16_000), st.integers(0, 2**128 - 1))
def test_packed_record_is_hardly_smaller_than_counted(
    events: int, size: int, hash_key: int
) -> None:
    """A byte a prediction, where there are few, and the digits that a hash key may lack."""
    figures = PRICES.aggregation
    made = len(aggregate([(f"{100_000 + n}", b"x" * size) for n in range(events)], hash_key))
    each = size + 6 + figures.packed_user_record_bytes
    most = figures.packed_record_bytes + events * each

    assert most - events - 39 + len(str(hash_key)) <= made <= most


@given(st.integers(0, GROUPS - 1))
def test_partition_key_is_hardly_shorter_than_counted(group: int) -> None:
    """The name of the source's shard, and the group."""
    (record,) = put([next(n for n in range(1000) if _group_of(n) == group)], 300).records

    assert len(record["PartitionKey"]) in (22, 23)
    assert PRICES.aggregation.group_key_bytes == 23


def _group_of(ride_id: int) -> int:
    return int(put([ride_id], 1).records[0]["PartitionKey"].rpartition(".")[2])


@pytest.mark.parametrize("rides", [1, 2, 5, 16, 40, 100])
def test_records_of_random_rides_are_as_many_as_counted(rides: int) -> None:
    """The mean of 300 batches, seeded, is within a twentieth."""
    ids = random.Random(7)
    batches = [put(ids.sample(range(100_000, 10**6), rides), 308).records for _ in range(300)]

    assert fmean(map(len, batches)) == pytest.approx(counted(rides, 308).records, rel=0.05)


def test_one_ride_is_one_record_and_many_rides_are_a_record_a_group() -> None:
    """Exactly, whatever the size."""
    assert counted(1, 308).records == pytest.approx(1)
    assert counted(1, 308).data_deviation == pytest.approx(0)
    assert counted(1000, 308).records == pytest.approx(GROUPS)


@pytest.mark.parametrize("rides", [200, 1000, 1200, 1500, 5000])
def test_put_units_of_random_rides_are_as_many_as_counted(rides: int) -> None:
    """Groups differ: where the mean is near 25 kB, half are over. Seeded, within a twentieth."""
    ids = random.Random(7)
    batches = [put(ids.sample(range(100_000, 10**6), rides), 308).records for _ in range(30)]
    units = [sum(ceil(len(record["Data"]) / 25_000) for record in batch) for batch in batches]

    assert fmean(units) == pytest.approx(counted(rides, 308).put_units(25_000), rel=0.05)


def test_group_over_a_quarter_of_a_megabyte_is_several_records_put_in_turn() -> None:
    """Of 1,000 rides with 10 kB a prediction, each group takes three records, and three calls."""
    large = plan(scenario(1000, prediction_bytes=10_000, aggregate_predictions=True), PRICES)
    ids = _evenly(1000)
    kinesis = put(ids, 10_000)

    assert large.batch.puts.records == pytest.approx(3 * GROUPS) == len(kinesis.records)
    assert large.batch.calls == 3 == len(kinesis.calls)
    assert large.batch.puts.data_bytes < MAX_PACKED_BYTES


def _evenly(rides: int) -> list[int]:
    """Ride IDs of which the groups have equally many, or one more."""
    found: dict[int, list[int]] = {group: [] for group in range(GROUPS)}
    for ride_id in range(100_000, 100_000 + 2 * rides):
        found[_group_of(ride_id)].append(ride_id)
    return [ids[place] for place in range(ceil(rides / GROUPS)) for ids in found.values()][:rides]


@pytest.mark.parametrize(("shards", "onto"), [(1, 1), (1, 2), (2, 5), (13, 5), (131, 420)])
def test_busiest_shard_has_about_as_many_keys_as_counted(shards: int, onto: int) -> None:
    """As the MD5 of the groups' partition keys spreads them; within a sixth."""
    places = Counter(
        int.from_bytes(hashlib.md5(f"shardId-{shard:012d}.{group}".encode()).digest())
        * onto
        // 2**128
        for shard in range(shards)
        for group in range(GROUPS)
    )
    mean = shards * GROUPS / onto

    assert max(places.values()) / mean == pytest.approx(busiest_shard(shards, onto), rel=1 / 6)


def test_packing_takes_time_of_a_core() -> None:
    """A packed prediction takes `pack_us`, and fewer records are put."""
    times = {"ride_us": 0, "pack_us": 5, "entry_us": 10, "invocation_ms": 0, "put_ms": 0}
    asked = scenario(1000, memory_mb=1769, aggregate_predictions=True, **times)

    assert plan(asked, PRICES).batch.seconds == pytest.approx(0.00516)
