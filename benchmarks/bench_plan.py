"""How much is measured: the whole, or what two minutes allow."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.results import Way


@dataclass(frozen=True, slots=True)
class Plan:
    """The axes, and how much time each point gets.

    Attributes:
        models: Names of those that are trained.
        batches: Sizes of batches.
        rounds: How often everything has its turn.
        seconds: How long a turn is.
        ways: Which ways take turns.
        start_rounds: How often each process is started.
        start_models: Models whose cold starts are measured.
        shards: Numbers of shards.
        trees: Numbers of trees.
        zone_pairs: Numbers of zone pairs.
        long_batches: Batches of the long run.
        rides: Synthetic rides to train on, if no others are given.
        forest_rides: At most so many rides a forest is trained on.
        installs: Whether packages may be installed to see their size.
    """

    models: Sequence[str]
    batches: Sequence[int]
    rounds: int
    seconds: float
    ways: Collection[Way]
    start_rounds: int
    start_models: Sequence[str]
    shards: Sequence[int]
    trees: Sequence[int]
    zone_pairs: Sequence[int]
    long_batches: int
    rides: int
    forest_rides: int
    installs: bool


FULL = Plan(
    models=("linear", "forest", "boosting"),
    batches=(1, 10, 100, 500, 1000, 5000),
    rounds=7,
    seconds=0.2,
    ways=tuple(Way),
    start_rounds=5,
    start_models=("linear", "forest", "boosting"),
    shards=(1, 2, 4, 8),
    trees=(10, 30, 100, 300),
    zone_pairs=(100, 1_000, 10_000, 100_000),
    long_batches=200,
    rides=40_000,
    forest_rides=20_000,
    installs=True,
)

QUICK = Plan(
    models=("linear", "forest", "boosting"),
    batches=(1, 100, 500, 1000, 5000),
    rounds=3,
    seconds=0.04,
    ways=(Way.REFERENCE, Way.PRODUCT, Way.FLOOR),
    start_rounds=1,
    start_models=("linear",),
    shards=(1, 2),
    trees=(10, 100),
    zone_pairs=(100, 10_000),
    long_batches=20,
    rides=5_000,
    forest_rides=5_000,
    installs=False,
)
