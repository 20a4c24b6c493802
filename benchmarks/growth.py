"""How cost grows with shards and with the size of models; and memory along a long run."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from sklearn.pipeline import Pipeline

from benchmarks.events import write_rides
from benchmarks.models import save_twin, with_trees
from benchmarks.results import Growth, LongRun, Way
from benchmarks.statistics import Spread
from benchmarks.worker import Job, Request, Worker
from model_service.records.ride_events import Ride
from training.examples import Examples
from training.kinds import Kind
from training.model import fit

BATCH = 1000


def by_shards(
    model: Path, rides: Path, endpoint: str, counts: Sequence[int], rounds: int, seconds: float
) -> list[Growth]:
    """A ride's cost with a process a shard, as Lambda has one, all at once.

    It is the wall clock's time over the rides of all shards together.
    """
    with ExitStack() as running:
        job = Job(Way.PRODUCT, str(model), endpoint, str(rides))
        workers = [running.enter_context(Worker(job)) for _ in range(max(counts))]
        request = Request(BATCH, seconds)
        for worker in workers:
            worker.sample(request)
        return [
            Growth(
                "shards",
                count,
                Spread.of([_together(workers[:count], request) for _ in range(rounds)]),
            )
            for count in counts
        ]


def _together(workers: Sequence[Worker], request: Request) -> float:
    start = time.perf_counter()
    for worker in workers:
        worker.begin(request)
    rides = sum([worker.finish().rides for worker in workers])
    return (time.perf_counter() - start) / rides * 1e6


def by_trees(
    forest: Pipeline, rides: Path, folder: Path, counts: Sequence[int], rounds: int, seconds: float
) -> list[Growth]:
    """A ride's cost with forests of so many trees."""
    jobs = {}
    for count in counts:
        target = folder / f"trees-{count}"
        save_twin(with_trees(forest, count), target)
        jobs[count] = Job(Way.PRODUCT, str(target), None, str(rides))
    return _in_turns("trees", jobs, rounds, seconds)


def by_zone_pairs(folder: Path, counts: Sequence[int], rounds: int, seconds: float) -> list[Growth]:
    """A ride's cost with linear models that know so many pairs of zones, on rides between these."""
    jobs = {}
    for count in counts:
        zones = round(count**0.5)
        pairs = [
            Ride(pickup, dropoff, 1.0 + (pickup + dropoff) % 20)
            for pickup in range(zones)
            for dropoff in range(zones)
        ]
        labels = [5.0 + ride.trip_distance + ride.PULocationID % 7 for ride in pairs]
        target, driven = folder / f"pairs-{count}", folder / f"pairs-{count}.jsonl"
        save_twin(fit(Examples("pairs of zones", pairs, labels), Kind.RIDGE), target)
        # Every so many pairs, so that they come from all of the table.
        write_rides(driven, (pairs * -(-5000 // len(pairs)))[:: max(1, len(pairs) // 5000)][:5000])
        jobs[zones**2] = Job(Way.PRODUCT, str(target), None, str(driven))
    return _in_turns("zone pairs", jobs, rounds, seconds)


def _in_turns(axis: str, jobs: Mapping[int, Job], rounds: int, seconds: float) -> list[Growth]:
    request = Request(BATCH, seconds)
    samples: dict[int, list[float]] = {count: [] for count in jobs}
    with ExitStack() as running:
        workers = {count: running.enter_context(Worker(job)) for count, job in jobs.items()}
        for _ in range(rounds):
            for count, worker in workers.items():
                samples[count].append(worker.sample(request).microseconds)
    return [Growth(axis, count, Spread.of(taken)) for count, taken in samples.items()]


def long_run(
    model: Path, rides: Path, endpoint: str, *, batch: int, batches: int, looks: int
) -> LongRun:
    """Resident memory of one process along so many batches, looked at so often."""
    every = Request(batch, 0, batches // looks)
    done, resident = [0], []
    with Worker(Job(Way.PRODUCT, str(model), endpoint, str(rides))) as worker:
        resident.append(worker.sample(Request(batch, 0)).resident_mib)
        for _ in range(looks):
            sample = worker.sample(every)
            done.append(done[-1] + sample.rides)
            resident.append(sample.resident_mib)
    return LongRun(batch, done, resident)
