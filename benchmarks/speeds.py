"""What a ride costs: every way takes turns with the others, at each size of batch."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.bench_plan import Plan
from benchmarks.models import TrainedModel
from benchmarks.results import Puts, Speed, Way
from benchmarks.statistics import Spread, ratio
from benchmarks.worker import Job, Request, Sample, Worker

Samples = dict[Way, list[Sample]]

HANDLER_WAYS = (Way.REFERENCE, Way.BATCHED, Way.SKLEARN, Way.PRODUCT, Way.FLOOR)
PUT_WAYS = (
    Way.REFERENCE, Way.BATCHED_PREDICTION, Way.BATCHED_PUTS, Way.BATCHED, Way.SKLEARN, Way.PRODUCT
)  # fmt: skip


def measure(
    name: str,
    model: TrainedModel,
    rides: Path,
    *,
    puts: Puts,
    endpoint: str | None,
    plan: Plan,
) -> list[Speed]:
    """Speeds of one model, with predictions put to one place.

    Args:
        name: The model's.
        model: It.
        rides: File of rides.
        puts: Name of that place.
        endpoint: The place; None puts nothing.
        plan: Which ways, which sizes of batches, how many turns, and how long one is at least.
    """
    ways = [w for w in (HANDLER_WAYS if endpoint is None else PUT_WAYS) if w in plan.ways]
    with ExitStack() as running:
        workers = [running.enter_context(Worker(_job(way, model, rides, endpoint))) for way in ways]
        return [
            speed
            for batch in plan.batches
            for speed in speeds(
                name, puts, batch, _take_turns(workers, Request(batch, plan.seconds), plan.rounds)
            )
        ]


def _job(way: Way, model: TrainedModel, rides: Path, endpoint: str | None) -> Job:
    folder = model.without_twin if way is Way.SKLEARN else model.folder
    return Job(way, str(folder), endpoint, str(rides))


def _take_turns(workers: Sequence[Worker], request: Request, rounds: int) -> Samples:
    samples: Samples = defaultdict(list)
    for place in range(rounds):
        # There and back, so that a drift of the machine's speed hits each way alike.
        for worker in workers if place % 2 else reversed(workers):
            samples[worker.job.way].append(worker.sample(request))
    return samples


def speeds(model: str, puts: Puts, batch: int, samples: Samples) -> list[Speed]:
    """What samples of the same rounds say."""
    costs = {way: [sample.microseconds for sample in taken] for way, taken in samples.items()}
    lowest = costs.get(Way.FLOOR)
    return [
        Speed(
            model=model,
            puts=puts,
            batch=batch,
            way=way,
            microseconds=Spread.of(cost),
            times_faster=ratio(costs[Way.REFERENCE], cost),
            times_floor=None if lowest is None else ratio(cost, lowest),
            rides_timed=sum(sample.rides for sample in samples[way]),
            largest_event=max(sample.event for sample in samples[way]),
        )
        for way, cost in costs.items()
    ]
