"""Results of a run that never was."""

from typing import Any

from benchmarks.results import (
    Equality,
    Growth,
    Installed,
    LongRun,
    Machine,
    Puts,
    Results,
    Speed,
    Stage,
    Start,
    Way,
)
from benchmarks.stages import STAGES
from benchmarks.starts import CLIENTS, PRODUCT, REFERENCE
from benchmarks.statistics import Spread

BATCHES = (1, 100, 500, 1000, 5000)


def spread(median: float) -> Spread:
    return Spread(median, median / 2, median * 2, 7)


def speed(model: str, puts: Puts, batch: int, way: Way, *, faster: float = 300.0) -> Speed:
    return Speed(
        model=model,
        puts=puts,
        batch=batch,
        way=way,
        microseconds=spread(600.0 if way is Way.REFERENCE else 2.0),
        times_faster=spread(1.0 if way is Way.REFERENCE else faster),
        times_floor=spread(1.5) if puts is Puts.NONE else None,
        rides_timed=10 * batch,
        largest_event=min(batch, 400) if way is Way.REFERENCE else batch,
    )


def start(what: str, model: str, *, of_clients: float = 1.6) -> Start:
    return Start(what, model, spread(0.8), spread(0.15), spread(of_clients), spread(95.0))


def results(**changed: object) -> Results:
    """Results that meet every target, with something changed."""
    cells = [("linear", puts) for puts in Puts] + [("forest", Puts.NONE)]
    fields: dict[str, Any] = {
        "command": "make bench",
        "rides": "synthetic",
        "machine": Machine("2026-11-22", "abc1234", "a processor", 2, 24, 0.5, {"Python": "3.13"}),
        "seconds": 600.0,
        "speeds": [
            speed(model, puts, batch, way, faster=1000.0)
            for model, puts in cells
            for batch in BATCHES
            for way in (Way.REFERENCE, Way.PRODUCT)
        ],
        "stages": [Stage(batch, stage, spread(0.5)) for batch in BATCHES for stage in STAGES],
        "starts": [start(CLIENTS, ""), start(PRODUCT, "linear"), start(REFERENCE, "linear")],
        "installed": [
            Installed("mlflow + scikit-learn + boto3", 800.0, 1.0),
            Installed("the image's packages (SERVING=all)", 300.0, 0.375),
            Installed("the image's packages (SERVING=onnx)", 150.0, 0.1875),
        ],
        "growth": [Growth("shards", count, spread(50.0 / count)) for count in (1, 2)],
        "equality": [Equality("linear", "ONNX", 60_000, 2e-14)],
        "long_run": LongRun(5000, [0, 5000, 10_000], [90.0, 100.0, 101.5]),
    }
    return Results(**fields | changed)
