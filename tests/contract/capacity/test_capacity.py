"""The capacity model, held against the local event source mapping and the real service."""

import hashlib
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, batched, count, islice
from math import ceil
from typing import Any

import pytest

from capacity.plan import Plan, plan
from capacity.prices import Prices
from event_source_mapping import lane
from event_source_mapping.batches import Batch
from event_source_mapping.lambda_records import SourceShard, lambda_event
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.stream_reader import ShardReader
from local.sample_rides import sample_rides
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.service import Service
from streams.aggregation import payloads
from streams.deadline import Deadline
from streams.fakes import FakeKinesis
from streams.packed_writer import GROUPS, PackedWriter
from streams.rejections import NoRejectionStore
from streams.writer import StreamWriter
from tests.kpl import aggregate
from tests.mapping import STREAM, polling
from tests.polling import until
from tests.unit.capacity.scenarios import PRICES, priced, scenario

SHARD_ID = "shardId-000000000000"
RIDE = b'{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":3.66},"ride_id":%d}'


class CountingFunction:
    """The real service, that counts what it is invoked with and what it puts."""

    def __init__(self, *, packs: bool = False) -> None:
        self.output = FakeKinesis()
        stream = StreamWriter(self.output, "ride_predictions")
        self.batches: list[int] = []
        self._service = Service(
            model=Model(
                "ride_duration_prediction_model",
                "v" * 32,
                "ride_duration",
                FakePredictor(lambda _: 21.3),
            ),
            predictions=PackedWriter(stream) if packs else stream,
            rejections=NoRejectionStore(),
            return_predictions=False,
        )

    def invoke(self, event: Mapping[str, Any]) -> Any:
        self.batches.append(len(event["Records"]))
        return self._service.handle(event, Deadline(60))

    @property
    def predictions(self) -> int:
        """How many it has put, packed or not."""
        return sum(len(payloads(record["Data"])) for record in self.output.records)


class VirtualTime:
    """Time that passes when the lane waits; polls happen in it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Polled:
    """A lane's condition: to wait is to go on to the next poll, or to the end of the wait."""

    def __init__(
        self,
        time: VirtualTime,
        arrivals: Iterator[float],
        poll_seconds: float,
        ride_ids: Iterator[int],
    ) -> None:
        self._time, self._arrivals, self._poll_seconds = time, arrivals, poll_seconds
        self._kinesis = MemoryKinesis(now=time.monotonic)
        self._kinesis.create_stream(StreamName=STREAM, ShardCount=1)
        settings = MappingSettings("Rides", STREAM, "TRIM_HORIZON")
        self._reader = ShardReader(self._kinesis, settings, SHARD_ID, after=None, now=0)
        self._ride_ids = ride_ids
        self._coming = next(arrivals, None)
        self._polls = 0
        self.ended = threading.Event()
        self.lane: lane.Lane | None = None

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return

    def notify(self) -> None:
        return

    def wait(self, seconds: float) -> None:
        next_poll = (self._polls + 1) * self._poll_seconds
        if self._time.now + seconds < next_poll:
            self._time.now += seconds
            return
        self._time.now, self._polls = next_poll, self._polls + 1
        self._put_arrivals()
        assert self.lane is not None
        self.lane.put(self._reader.read())
        if self._coming is None:
            self.ended.set()

    def _put_arrivals(self) -> None:
        while self._coming is not None and self._coming <= self._time.now:
            ride_id = next(self._ride_ids)
            self._kinesis.put_record(
                StreamName=STREAM, Data=RIDE % ride_id, PartitionKey=str(ride_id)
            )
            self._coming = next(self._arrivals, None)


def simulated(
    needed: Plan, prices: Prices, arrivals: Iterator[float], ride_ids: Iterator[int] | None = None
) -> CountingFunction:
    """One lane of the local mapping, in virtual time, with the batch settings of a plan."""
    asked, time = needed.scenario, VirtualTime()
    function = CountingFunction(packs=asked.aggregate_predictions)
    settings = MappingSettings(
        "Rides",
        STREAM,
        "TRIM_HORIZON",
        batch_size=asked.batch_size,
        batching_window_seconds=asked.window_seconds,
    )
    shard = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/ride_events", SHARD_ID)

    def process(batch: Batch) -> None:
        function.invoke(lambda_event(batch.records, shard))

    poll_seconds = prices.functions.poll_seconds
    polled = Polled(time, arrivals, poll_seconds, ride_ids or count(100_000))
    polled.lane = lane.Lane(settings, process, polled.ended, lambda: None, clock=time.monotonic)
    polled.lane._changed = polled  # type: ignore[assignment] # waits in virtual time
    polled.lane.run()
    return function


def lane_rate(needed: Plan) -> float:
    return needed.input.records / needed.input_shards / needed.scenario.parallelization


@pytest.mark.parametrize(
    ("rate", "window", "poll", "batch_size", "parallelization"),
    [
        (64, 1, 1 / 16, 1000, 1),
        (64, 0, 1 / 16, 1000, 1),
        (256, 0.5, 1 / 16, 1000, 4),
        (100, 1, 0.5, 1000, 1),
        (100, 0.5, 1, 1000, 1),
        (100, 2, 1, 150, 1),
        (2000, 1, 0.5, 1000, 1),
        (2000, 1, 0.5, 1000, 10),
    ],
)
def test_steady_rides_make_the_batches_calls_and_units_of_the_model(
    rate: float,
    window: float,
    poll: float,
    batch_size: int,
    parallelization: int,
) -> None:
    """Each but the last, when thousands of rides come to a lane in even steps."""
    prices = priced("functions", poll_seconds=poll)
    asked = scenario(
        rate, window_seconds=window, batch_size=batch_size, parallelization=parallelization
    )
    needed = plan(asked, prices)
    arrivals = (number / lane_rate(needed) for number in range(1, 6001))

    function = simulated(needed, prices, arrivals)

    batches, calls = function.batches[:-1], function.output.calls
    assert len(batches) > 3
    assert set(batches) == {round(needed.batch.records)}
    assert calls_of(batches, calls) == needed.batch.calls * len(batches)
    assert units(function.output.records) == sum(function.batches) == len(function.output.records)
    assert needed.output.put_units(25_000) == pytest.approx(rate)


@pytest.mark.parametrize(("rate", "window"), [(0.25, 8), (2, 1), (20, 1), (200, 0.5)])
def test_random_rides_make_batches_of_the_model_s_size_within_a_tenth(
    rate: float, window: float
) -> None:
    """The mean of some thousand rides that come by chance (Poisson), seeded."""
    prices = priced("functions", poll_seconds=1 / 16)
    needed = plan(scenario(rate, window_seconds=window), prices)
    gaps = random.Random(7)
    arrivals = islice(accumulate(gaps.expovariate(rate) for _ in count()), 3000)

    batches = simulated(needed, prices, arrivals).batches[:-1]

    assert sum(batches) / len(batches) == pytest.approx(needed.batch.records, rel=0.1)


@pytest.mark.parametrize("rate", [8, 20, 60])
def test_random_rides_make_as_many_packed_records_as_the_model_says_within_a_twentieth(
    rate: int,
) -> None:
    """A few rides a batch, in even steps: chance, seeded, says which groups they are in."""
    prices = priced("functions", poll_seconds=1 / 16)
    needed = plan(scenario(rate, aggregate_predictions=True), prices)
    rides = 200 * rate
    arrivals = (number / rate for number in range(1, rides + 1))
    ride_ids = iter(random.Random(7).sample(range(100_000, 1_000_000), rides))

    function = simulated(needed, prices, arrivals, ride_ids)

    records = function.output.records
    assert function.predictions == sum(function.batches)
    of_a_batch = len(records) / len(function.batches)
    assert of_a_batch == pytest.approx(needed.batch.puts.records, rel=0.05)
    assert len(function.output.calls) == needed.batch.calls * len(function.batches)
    assert units(records) == len(records)


def test_backlog_with_packed_predictions_makes_what_the_model_says_exactly() -> None:
    """Three shards, 500 rides a batch: each batch is a call with a record a group, of one unit."""
    needed = plan(scenario(3000, batch_size=500, aggregate_predictions=True), PRICES)
    kinesis = memory(needed.input_shards)
    for ids in evenly(6000, needed.input_shards):
        put(kinesis, [(str(ride_id), RIDE % ride_id) for ride_id in ids])

    function = run(kinesis, 6000, batch_size=500, packs=True)

    seconds = 2
    records = function.output.records
    assert len(records) == pytest.approx(needed.output.records * seconds) == 12 * GROUPS
    assert len(function.output.calls) == needed.invocations * seconds * needed.batch.calls
    assert units(records) == pytest.approx(needed.output.put_units(25_000) * seconds)


@pytest.mark.parametrize(
    ("rides_of_a_batch", "calls"),
    [pytest.param(3_000, 1, id="a record a group"), pytest.param(30_000, 3, id="three, in turn")],
)
def test_backlog_with_both_aggregated_makes_the_records_and_calls_of_the_model_exactly(
    rides_of_a_batch: int, calls: int
) -> None:
    """Rides in records of 1,000; PUT units, which chance decides, are within a twentieth."""
    records = rides_of_a_batch // 1000
    asked = scenario(
        1500,
        aggregate_predictions=True,
        rides_per_record=1000,
        buffer_seconds=1,
        batch_size=records,
        window_seconds=60,
    )
    needed = plan(asked, PRICES)
    kinesis = memory(needed.input_shards)
    for ids in batched(range(100_000, 100_000 + 2 * rides_of_a_batch), 1000, strict=True):
        put(kinesis, [(str(ids[0]), aggregate([(str(n), RIDE % n) for n in ids]))])

    function = run(kinesis, 2 * rides_of_a_batch, batch_size=records, packs=True)

    made, batch = function.output, needed.batch
    assert function.batches == [batch.records] * 2
    assert len(made.calls) == 2 * batch.calls == 2 * calls
    assert len(made.records) == pytest.approx(2 * batch.puts.records) == 2 * calls * GROUPS
    assert units(made.records) == pytest.approx(2 * batch.puts.put_units(25_000), rel=0.05)


def test_backlog_on_the_whole_mapping_makes_what_the_model_says_exactly() -> None:
    """6,000 rides, spread evenly over three shards, are two seconds at 3,000 a second."""
    needed = plan(scenario(3000, batch_size=500), PRICES)
    kinesis = memory(needed.input_shards)
    for ids in evenly(6000, needed.input_shards):
        put(kinesis, [(str(ride_id), RIDE % ride_id) for ride_id in ids])

    function = run(kinesis, 6000, batch_size=500)

    seconds = 2
    assert len(function.batches) == needed.invocations * seconds
    assert set(function.batches) == {needed.batch.records}
    assert len(function.output.calls) == needed.invocations * seconds * needed.batch.calls
    assert put_units(kinesis, needed) == needed.input.put_units(25_000) * seconds
    assert units(function.output.records) == needed.output.put_units(25_000) * seconds


def test_backlog_of_aggregated_rides_makes_what_the_model_says_exactly() -> None:
    """6,000 rides in 20 records, five records a batch: each record is two PUT units."""
    needed = plan(scenario(3000, batch_size=5, rides_per_record=300), PRICES)
    kinesis = memory(needed.input_shards)
    for ids in batched(range(100_000, 106_000), 300, strict=True):
        put(kinesis, [(str(ids[0]), aggregate([(str(n), RIDE % n) for n in ids]))])

    function = run(kinesis, 6000, batch_size=5)

    seconds = 2
    assert needed.input_shards == 1
    assert len(function.batches) == pytest.approx(needed.invocations * seconds)
    assert len(function.output.calls) == pytest.approx(
        needed.invocations * seconds * needed.batch.calls
    )
    assert put_units(kinesis, needed) == needed.input.put_units(25_000) * seconds == 40
    assert units(function.output.records) == pytest.approx(
        needed.output.put_units(25_000) * seconds
    )


def test_backlog_of_random_keys_makes_at_most_a_batch_a_shard_more() -> None:
    """Keys do not spread evenly: each shard may end with a batch that is not full."""
    needed = plan(scenario(4000, batch_size=300), PRICES)
    kinesis = memory(needed.input_shards)
    put(kinesis, [(str(n), RIDE % n) for n in range(100_000, 104_000)])

    function = run(kinesis, 4000, batch_size=300)

    assert needed.invocations <= len(function.batches) <= needed.invocations + needed.input_shards


def test_sizes_of_events_are_those_of_the_defaults() -> None:
    """Rides and predictions as the project makes them are within 5 % of what is counted with."""
    rides = [ride for ride in sample_rides(3000) if not ride.is_bad]
    kinesis = memory(1)
    put(kinesis, [(str(n), RIDE % n) for n in range(100_000, 100_500)])
    function = run(kinesis, 500, batch_size=500)
    made = [len(record["Data"]) for record in function.output.records]

    defaults = PRICES.defaults
    assert mean([len(ride.data) for ride in rides]) == pytest.approx(defaults.ride_bytes, rel=0.05)
    assert mean(made) == pytest.approx(defaults.prediction_bytes, rel=0.06)


def memory(shards: int) -> MemoryKinesis:
    kinesis = MemoryKinesis()
    kinesis.create_stream(StreamName=STREAM, ShardCount=shards)
    return kinesis


def put(kinesis: MemoryKinesis, records: Sequence[tuple[str, bytes]]) -> None:
    entries = [{"Data": data, "PartitionKey": key} for key, data in records]
    kinesis.put_records(StreamName=STREAM, Records=entries)


def evenly(rides: int, shards: int) -> list[list[int]]:
    """Ride IDs whose keys fall onto each shard equally often."""
    found: list[list[int]] = [[] for _ in range(shards)]
    for ride_id in count(100_000):
        key = hashlib.md5(str(ride_id).encode()).digest()
        place = min(int.from_bytes(key) // (2**128 // shards), shards - 1)
        if len(found[place]) < rides // shards:
            found[place].append(ride_id)
        elif all(len(ids) == rides // shards for ids in found):
            return found
    raise AssertionError


def run(
    kinesis: MemoryKinesis, rides: int, batch_size: int, *, packs: bool = False
) -> CountingFunction:
    function = CountingFunction(packs=packs)
    with polling(kinesis, function, batch_size=batch_size, batching_window_seconds=1):
        until(lambda: function.predictions >= rides, 60)
    return function


def put_units(kinesis: MemoryKinesis, needed: Plan) -> int:
    shards = (f"shardId-{place:012d}" for place in range(needed.input_shards))
    return sum(units(kinesis.all_records(STREAM, shard)) for shard in shards)


def units(records: Sequence[Mapping[str, Any]]) -> int:
    return sum(ceil(len(record["Data"]) / 25_000) for record in records)


def calls_of(batches: Sequence[int], calls: Sequence[Sequence[Any]]) -> int:
    """How many of the calls were made for these batches, which come first."""
    rides = sum(batches)
    return sum(sent < rides for sent in accumulate(map(len, calls), initial=0))


def mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers)
