"""How much a run measures: everything, or a selection that takes two minutes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.results import Way


@dataclass(frozen=True, slots=True)
class Plan:
    """The extent of a run.

    Attributes:
        batches: Sizes of batches.
        rounds: Turns of each way.
        seconds: Length of a turn.
        ways: Ways that take turns.
        start_rounds: Cold starts of each process.
        start_models: Models whose cold starts are measured.
        rides: Number of synthetic rides to train on.
        forest_rides: Limit of rides to train the forest on.
        installs: Whether packages may be installed to measure their size.
    """

    batches: Sequence[int]
    rounds: int
    seconds: float
    ways: Collection[Way]
    start_rounds: int
    start_models: Collection[str]
    rides: int
    forest_rides: int
    installs: bool


BATCHES = (1, 100, 500, 1000, 5000)
MODELS = ("linear", "forest", "boosting")

FULL = Plan(
    batches=BATCHES,
    rounds=7,
    seconds=0.2,
    ways=tuple(Way),
    start_rounds=5,
    start_models=MODELS,
    rides=40_000,
    forest_rides=20_000,
    installs=True,
)

QUICK = Plan(
    batches=BATCHES,
    rounds=3,
    seconds=0.04,
    ways=(Way.REFERENCE, Way.PRODUCT, Way.FLOOR),
    start_rounds=1,
    start_models=("linear",),
    rides=5_000,
    forest_rides=5_000,
    installs=False,
)
