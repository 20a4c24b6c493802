"""What one run of the benchmarks found. results.json holds it; tables and plots are made of it."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from benchmarks.statistics import Spread


class Way(StrEnum):
    """A way to turn a Kinesis event into predictions."""

    REFERENCE = "reference"
    BATCHED_PREDICTION = "batched prediction only"
    BATCHED_PUTS = "batched puts only"
    BATCHED = "both batched"
    SKLEARN = "product, scikit-learn"
    PRODUCT = "product"
    FLOOR = "floor"


class Puts(StrEnum):
    """Where predictions are put."""

    NONE = "none"
    INSTANT = "instant stub"
    LATENT = "stub of 15 ms"


class Speed(Struct, frozen=True):
    """What a ride costs in one way.

    Attributes:
        model: `linear`, `forest` or `boosting`.
        puts: Where to.
        batch: Rides of one invocation.
        way: How.
        microseconds: A ride.
        times_faster: Than the reference way, round by round.
        times_floor: How many times what the floor takes.
        rides_timed: In all rounds together.
        largest_event: Rides of the largest event that was timed; less than `batch` where a way
            goes by the record, so that a whole batch would take minutes.
    """

    model: str
    puts: Puts
    batch: int
    way: Way
    microseconds: Spread
    times_faster: Spread
    times_floor: Spread | None
    rides_timed: int
    largest_event: int

    @property
    def rides_a_second(self) -> float:
        """On one core, or as many as the way makes use of."""
        return 1e6 / self.microseconds.median


class Stage(Struct, frozen=True):
    """What one stage of the product takes of a ride's time, at a size of batch."""

    batch: int
    stage: str
    microseconds: Spread


class Start(Struct, frozen=True):
    """A process from the first line of its script to its first prediction, and what it then holds.

    Attributes:
        what: The product and its flavour, the reference way, or boto3 and its clients alone.
        model: The model that is brought from S3; empty where there is none.
        seconds: To the first prediction, which was put.
        of_reference: Share of what the reference way takes with this model.
        of_clients: Times what boto3 and its clients take.
        resident_mib: Resident memory after a batch of 1,000.
    """

    what: str
    model: str
    seconds: Spread
    of_reference: Spread | None
    of_clients: Spread | None
    resident_mib: Spread


class Installed(Struct, frozen=True):
    """Size of installed packages on disk, and as a share of mlflow + scikit-learn + boto3."""

    what: str
    mib: float
    share: float


class Growth(Struct, frozen=True):
    """How cost grows along an axis.

    Attributes:
        axis: `shards`, `trees` or `zone pairs`.
        count: How many of them.
        microseconds: A ride, by the wall clock; of all shards together.
    """

    axis: str
    count: int
    microseconds: Spread


class Equality(Struct, frozen=True):
    """The largest difference from what scikit-learn predicts, in minutes."""

    model: str
    flavor: str
    rides: int
    largest_difference: float


class LongRun(Struct, frozen=True):
    """Resident memory in MiB along a long run of one process."""

    batch: int
    rides: Sequence[int]
    resident_mib: Sequence[float]


class Machine(Struct, frozen=True):
    """Where and on what it was measured."""

    date: str
    commit: str
    processor: str
    cores: int
    memory_gib: int
    load: float
    versions: dict[str, str]


class Results(Struct, frozen=True):
    """All of one run.

    Attributes:
        command: What makes these again.
        rides: Where the rides come from, in words.
        seconds: How long the run took.
    """

    command: str
    rides: str
    machine: Machine
    seconds: float
    speeds: Sequence[Speed]
    stages: Sequence[Stage]
    starts: Sequence[Start]
    installed: Sequence[Installed]
    growth: Sequence[Growth]
    equality: Sequence[Equality]
    long_run: LongRun
