"""What this project set out to reach, beside what a run found. Nothing fails for it."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from benchmarks.installed import ALL, ONNX
from benchmarks.results import Puts, Results, Speed, Start, Way
from benchmarks.starts import PRODUCT
from benchmarks.statistics import Spread


class Target(Struct, frozen=True):
    """A bound, and what was measured.

    Attributes:
        what: What is bounded.
        bound: Its bound.
        at_least: Whether that is a least; otherwise it is a most.
        measured: In the bound's unit; None if it was not measured.
    """

    what: str
    bound: float
    at_least: bool
    measured: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether it is within its bound; None if nobody knows."""
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    @property
    def missed_by(self) -> float:
        """The factor by which it is missed; 1 or less if it is met."""
        if self.measured is None:
            return 1.0
        return self.bound / self.measured if self.at_least else self.measured / self.bound


def targets(results: Results) -> list[Target]:
    """Every target of the project, in its order."""
    return [
        *_speeds(results),
        *_starts(results),
        *_sizes(results),
        _most(
            "largest difference from scikit-learn, minutes",
            1e-4,
            max((found.largest_difference for found in results.equality), default=None),
        ),
    ]


def _speeds(results: Results) -> list[Target]:
    def times(model: str, puts: Puts, batch: int, bound: float) -> Target:
        speed = _speed(results, model, puts, batch)
        where = "without puts" if puts is Puts.NONE else f"puts to the {puts}"
        return _least(
            f"{model} model, {where}, batches of {batch:,}: times faster than the reference",
            bound,
            speed.times_faster.median if speed else None,
        )

    floor = _speed(results, "linear", Puts.NONE, 1000)
    return [
        times("linear", Puts.NONE, 1, 10),
        times("linear", Puts.NONE, 100, 100),
        times("linear", Puts.NONE, 1000, 150),
        _most(
            "linear model, without puts, batches of 1,000: times what the floor takes",
            2,
            _median(floor.times_floor if floor else None),
        ),
        times("linear", Puts.INSTANT, 500, 100),
        times("linear", Puts.LATENT, 5000, 200),
        times("forest", Puts.NONE, 100, 500),
    ]


def _speed(results: Results, model: str, puts: Puts, batch: int) -> Speed | None:
    return _only(
        results.speeds,
        lambda s: (s.model, s.puts, s.batch, s.way) == (model, puts, batch, Way.PRODUCT),
    )


def _starts(results: Results) -> list[Target]:
    start = _only(results.starts, lambda s: (s.what, s.model) == (PRODUCT, "linear"))
    return [
        _most(what, bound, _median(found(start) if start else None))
        for what, bound, found in _START_BOUNDS
    ]


_START_BOUNDS: Sequence[tuple[str, float, Callable[[Start], Spread | None]]] = (
    ("linear model, cold start: share of the reference's", 1 / 5, lambda start: start.of_reference),
    ("linear model, cold start: times boto3 and two clients", 1.7, lambda start: start.of_clients),
    ("linear model, resident memory, MiB", 110, lambda start: start.resident_mib),
)


def _sizes(results: Results) -> list[Target]:
    found = {installed.what: installed.share for installed in results.installed}
    return [
        _most(f"{what}: share of mlflow + scikit-learn + boto3", bound, found.get(what))
        for what, bound in ((ALL, 1 / 2), (ONNX, 1 / 4))
    ]


def _median(spread: Spread | None) -> float | None:
    return None if spread is None else spread.median


def _least(what: str, bound: float, measured: float | None) -> Target:
    return Target(what, bound, at_least=True, measured=measured)


def _most(what: str, bound: float, measured: float | None) -> Target:
    return Target(what, bound, at_least=False, measured=measured)


def _only[Row](rows: Sequence[Row], wanted: Callable[[Row], bool]) -> Row | None:
    return next(filter(wanted, rows), None)
