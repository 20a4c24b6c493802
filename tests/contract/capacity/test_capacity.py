"""The plan, compared with the local event source mapping and the real service in virtual time."""

import random
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, count, islice
from math import ceil
from statistics import fmean
from typing import Any, NamedTuple

import pytest

from capacity.plan import plan
from event_source_mapping import lane
from event_source_mapping.batches import Batch
from event_source_mapping.lambda_records import Record, SourceShard, lambda_event
from event_source_mapping.mapping_settings import MappingSettings
from local.demo_rides import sample_rides
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.service import Service
from streams.deadline import Deadline
from streams.fakes import FakeKinesis
from streams.packed_writer import PackedWriter
from streams.rejections import NoRejectionStore
from streams.writer import StreamWriter
from tests.conftest import PROJECT
from tests.kpl import aggregate
from tests.unit.capacity.scenarios import PRICES, priced, scenario

NAME = "ride_duration_prediction_model"
POLL_SECONDS = 1 / 16
SHARD = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/rides", "shardId-000000000000")
RIDE = b'{"ride":{"PULocationID":130,"DOLocationID":205,"trip_distance":3.66},"ride_id":%d}'


class Invocation(NamedTuple):
    """What one invocation got and put."""

    records: int
    calls: int
    puts: int
    put_units: int


class CountingFunction:
    """The real service, with counts of records, calls and units per invocation."""

    def __init__(self, *, packs: bool) -> None:
        self.output = FakeKinesis()
        stream = StreamWriter(self.output, "ride_predictions")
        self.invocations: list[Invocation] = []
        self._service = Service(
            model=Model(NAME, "v" * 32, "ride_duration", FakePredictor(lambda _: 21.3)),
            predictions=PackedWriter(stream) if packs else stream,
            rejections=NoRejectionStore(),
            return_predictions=False,
        )

    def invoke(self, batch: Batch) -> None:
        records, calls = len(self.output.records), len(self.output.calls)
        self._service.handle(lambda_event(batch.records, SHARD), Deadline(60))
        puts = self.output.records[records:]
        self.invocations.append(
            Invocation(len(batch.records), len(self.output.calls) - calls, len(puts), units(puts))
        )


class VirtualTime:
    """A lane's condition. Each wait advances the clock to the next poll, or to its own end."""

    def __init__(self, arrivals: Iterable[tuple[float, Record]]) -> None:
        self.now = 0.0
        self.ended = threading.Event()
        self.lane: lane.Lane | None = None
        self._arrivals = iter(arrivals)
        self._next = next(self._arrivals, None)
        self._polls = count(1)
        self._poll = next(self._polls) * POLL_SECONDS

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return

    def notify(self) -> None:
        return

    def wait(self, seconds: float) -> None:
        if self.now + seconds < self._poll:
            self.now += seconds
            return
        self.now, self._poll = self._poll, next(self._polls) * POLL_SECONDS
        assert self.lane is not None
        self.lane.put(list(self._arrived()))
        if self._next is None:
            self.ended.set()

    def _arrived(self) -> Iterator[Record]:
        while self._next is not None and self._next[0] <= self.now:
            yield self._next[1]
            self._next = next(self._arrivals, None)


def simulated(
    arrivals: Iterable[tuple[float, Record]], *, packs: bool, **settings: Any
) -> list[Invocation]:
    """Run one lane of the local mapping, and return its invocations except the last."""
    time, function = VirtualTime(arrivals), CountingFunction(packs=packs)
    mapping = MappingSettings("Rides", "rides", "TRIM_HORIZON", **settings)
    time.lane = lane.Lane(
        mapping, function.invoke, time.ended, idle=lambda: None, clock=lambda: time.now
    )
    time.lane._changed = time  # type: ignore[assignment] # waits in virtual time
    time.lane.run()
    return function.invocations[:-1]


def ride_records(rides_per_record: int) -> Iterator[Record]:
    """Yield records with one ride, or with several that the KPL aggregated."""
    ride_ids = iter(random.Random(7).sample(range(100_000, 1_000_000), 500_000))
    for number in count(10**55):
        rides = [(str(each), RIDE % each) for each in islice(ride_ids, rides_per_record)]
        data = rides[0][1] if rides_per_record == 1 else aggregate(rides)
        yield Record(str(number), rides[0][0], data, 0)


EVEN, EXACT = False, 1e-6


@pytest.mark.parametrize(
    ("rate", "settings", "at_random", "tolerance"),
    [
        pytest.param(64, {}, EVEN, EXACT, id="window of a second"),
        pytest.param(320, {"window_seconds": 0}, EVEN, EXACT, id="no window, only polls"),
        pytest.param(100, {"window_seconds": 2, "batch_size": 150}, EVEN, EXACT, id="batch size"),
        pytest.param(2000, {}, EVEN, EXACT, id="two calls a batch"),
        pytest.param(256, {"window_seconds": 0.5, "parallelization": 4}, EVEN, EXACT, id="lanes"),
        pytest.param(0.25, {"window_seconds": 8}, True, 0.1, id="rare rides"),
        pytest.param(20, {}, True, 0.1, id="random rides"),
        pytest.param(20, {"aggregate_predictions": True}, EVEN, 0.05, id="packed"),
        pytest.param(
            *(1600, {"aggregate_predictions": True, "rides_per_record": 100}, EVEN, 0.05),
            id="both aggregated",
        ),
    ],
)
def test_lane_makes_the_batches_calls_records_and_units_of_the_plan(
    rate: float, settings: dict[str, Any], at_random: bool, tolerance: float
) -> None:
    """Rides at even or random (Poisson) times go through the mapping and the service."""
    asked = scenario(rate, **settings)
    needed = plan(asked, priced(limits__poll_seconds=POLL_SECONDS))
    rides, batch = needed.streams[0], needed.batch
    lane_rate = rides.flow.records / rides.shards / asked.parallelization
    gaps = random.Random(7)
    steps = (gaps.expovariate(lane_rate) if at_random else 1 / lane_rate for _ in range(2999))
    records = list(islice(ride_records(asked.rides_per_record), 3000))

    invocations = simulated(
        zip(accumulate(steps, initial=0.5 / lane_rate), records, strict=True),
        packs=asked.aggregate_predictions,
        batch_size=asked.batch_size,
        batching_window_seconds=asked.window_seconds,
    )

    records_, calls, puts, put_units = map(fmean, zip(*invocations, strict=True))
    assert records_ == pytest.approx(batch.records, rel=tolerance)
    assert calls == pytest.approx(batch.calls, rel=tolerance)
    assert puts == pytest.approx(batch.puts.records, rel=tolerance)
    assert put_units == pytest.approx(batch.puts.units(25_000), rel=tolerance)


def units(records: Sequence[Mapping[str, Any]]) -> int:
    return sum(ceil(len(record["Data"]) / 25_000) for record in records)


def test_sizes_of_events_are_those_of_the_project() -> None:
    """Sample rides and the predictions of the real service are within 6 % of the file."""
    rides = [ride.data for ride in sample_rides(3000) if not ride.is_bad]
    function = CountingFunction(packs=False)
    function.invoke(Batch(list(islice(ride_records(1), 500))))
    predictions = [record["Data"] for record in function.output.records]

    assert fmean(map(len, rides)) == pytest.approx(PRICES.predictions.ride_bytes, rel=0.06)
    assert fmean(map(len, predictions)) == pytest.approx(
        PRICES.predictions.prediction_bytes, rel=0.06
    )


def test_reader_that_leaves_early_is_no_error() -> None:
    """The command ends without a traceback when the program after a pipe has exited."""
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m capacity --compare | true",
        shell=True,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""
