"""Packed predictions: the counts of the plan, compared with the writer of the function."""

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from math import ceil
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.flows import busiest_shard, packed_flow
from capacity.plan import plan
from streams.aggregation import aggregate
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, kinesis_event
from streams.packed_writer import GROUPS, PackedWriter
from streams.records import source_records
from streams.writer import Entry, StreamWriter
from tests.unit.capacity.scenarios import PRICES, priced, scenario


def put(ride_ids: Sequence[int], size: int) -> FakeKinesis:
    """Put the predictions of a batch's rides as the function does."""
    kinesis = FakeKinesis()
    records = source_records(kinesis_event([b""] * len(ride_ids)))
    entries = [
        Entry(record, str(ride_id), b"x" * size, record.sequence_number)
        for record, ride_id in zip(records, ride_ids, strict=True)
    ]
    writer = PackedWriter(StreamWriter(kinesis, "ride_predictions"))
    assert writer.put(entries, Deadline(60)) == []
    return kinesis


@given(st.integers(1, 600), st.integers(130, 16_000), st.integers(0, 2**128 - 1))
def test_size_of_a_packed_record_is_at_most_what_is_counted(
    events: int, size: int, hash_key: int
) -> None:
    """The size differs by at most a byte a prediction and the missing digits of a hash key."""
    made = len(aggregate([(f"{100_000 + n}", b"x" * size) for n in range(events)], hash_key))
    kpl = PRICES.aggregation
    most = kpl.packed_record_bytes + events * (size + 6 + kpl.packed_user_record_bytes)

    assert most - events - 39 + len(str(hash_key)) <= made <= most


@pytest.mark.parametrize("rides", [1, 2, 5, 16, 40, 100, 1000, 1200, 1500, 5000])
def test_records_and_units_of_random_rides_are_those_that_are_counted(rides: int) -> None:
    """The means of seeded batches are within 5 %, also where groups are near 25 kB."""
    ids = random.Random(7)
    repeats = 300 if rides <= 100 else 30
    batches = [put(ids.sample(range(100_000, 10**6), rides), 308).records for _ in range(repeats)]
    units = [sum(ceil(len(record["Data"]) / 25_000) for record in batch) for batch in batches]
    counted = packed_flow(rides, PRICES)

    assert fmean(map(len, batches)) == pytest.approx(counted.records, rel=0.05)
    assert fmean(units) == pytest.approx(counted.units(25_000), rel=0.05)


def test_large_group_is_several_records_that_are_put_one_after_the_other() -> None:
    """With 10 kB a prediction, each group of 1,000 rides takes three records and three calls."""
    prices = priced(predictions__prediction_bytes=10_000)
    batch = plan(scenario(aggregate_predictions=True), prices).batch

    assert batch.puts.records == pytest.approx(3 * GROUPS)
    assert batch.calls == 3


@pytest.mark.parametrize(("shards", "onto"), [(1, 1), (1, 2), (2, 5), (13, 5), (131, 420)])
def test_busiest_shard_gets_about_as_many_keys_as_estimated(shards: int, onto: int) -> None:
    """The estimate is within a sixth of how MD5 spreads the groups' partition keys."""
    keys = (f"shardId-{shard:012d}.{group}" for shard in range(shards) for group in range(GROUPS))
    places = Counter(
        int.from_bytes(hashlib.md5(key.encode()).digest()) * onto >> 128 for key in keys
    )
    mean = shards * GROUPS / onto

    assert max(places.values()) / mean == pytest.approx(busiest_shard(shards, onto), rel=1 / 6)
