"""The cost of a ride: every way has its own process, and they take turns at each size of batch.

Separate processes, as on Lambda: mlflow's hundreds of modules would slow garbage collection in the
product's process.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.bench_plan import Plan
from benchmarks.bench_rides import kinesis_events
from benchmarks.results import Puts, Speed, Spread, Way, ratio
from benchmarks.ways import Handle, handler

# The reference way handles one record after another, so a part of a batch shows the cost of a ride.
# A whole batch would take minutes.
REFERENCE_RIDES = 20


@dataclass(frozen=True)
class Job:
    """What a process holds: a way, the folder of its model, where it puts, and a file of rides."""

    way: Way
    model: Path
    endpoint: str | None
    rides: Path


def sample(job: Job, batch: int, seconds: float) -> float:
    """Handle batches for so long, and return the microseconds for a ride."""
    handle, events = _prepared(job, batch)
    rides = 0
    start = time.perf_counter()
    for event in cycle(events):
        handle(event)
        rides += len(event["Records"])
        took = time.perf_counter() - start
        if took >= seconds:
            break
    return took / rides * 1e6


@cache
def _prepared(job: Job, batch: int) -> tuple[Handle, Sequence[Any]]:
    size = min(batch, REFERENCE_RIDES) if job.way is Way.REFERENCE else batch
    handle, events = _handler(job), kinesis_events(job.rides, size)
    handle(events[0])  # fills caches
    return handle, events


@cache
def _handler(job: Job) -> Handle:
    return handler(job.way, job.model, job.endpoint)


def measure(model: str, jobs: Sequence[Job], puts: Puts, plan: Plan) -> list[Speed]:
    """Time the ways of one model.

    Args:
        model: The model's name.
        jobs: A job for each way.
        puts: Name of the place that they put to.
        plan: Sizes of batches, number of turns and their length.
    """
    with ExitStack() as running:
        pools = {job: running.enter_context(_process()) for job in jobs}
        return [
            speed
            for batch in plan.batches
            for speed in speeds(model, puts, batch, _take_turns(pools, batch, plan))
        ]


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, get_context("spawn"))


def _take_turns(
    pools: Mapping[Job, ProcessPoolExecutor], batch: int, plan: Plan
) -> Mapping[Way, Sequence[float]]:
    samples = defaultdict(list)
    turns = list(pools.items())
    for _ in range(plan.rounds):
        for job, pool in turns:
            samples[job.way].append(pool.submit(sample, job, batch, plan.seconds).result())
        turns.reverse()  # so that a drift of the machine's speed hits every way alike
    return samples


def speeds(
    model: str, puts: Puts, batch: int, samples: Mapping[Way, Sequence[float]]
) -> list[Speed]:
    """Compare samples of the same rounds: microseconds for a ride, by way."""
    lowest = samples.get(Way.FLOOR)
    return [
        Speed(
            model=model,
            puts=puts,
            batch=batch,
            way=way,
            microseconds=Spread.of(cost),
            times_faster=ratio(samples[Way.REFERENCE], cost),
            times_floor=None if lowest is None else ratio(cost, lowest),
        )
        for way, cost in samples.items()
    ]
