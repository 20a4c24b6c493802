"""Prices, limits and measurements from `prices.toml`, where each has a unit and a source."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cli.terminal import OpsError

PRICES = Path(__file__).parent / "prices.toml"
# Wrong names that an error shows.
_SHOWN = 5

# Pairs of a number of units, and the price of each unit from there on.
Tiers = Sequence[tuple[float, float]]


class Section(SimpleNamespace):
    """Figures of one section of the file, as attributes."""

    if TYPE_CHECKING:

        def __getattribute__(self, name: str) -> float: ...


@dataclass(frozen=True, slots=True)
class Prices:
    """All figures. The file has their names and units."""

    limits: Section
    kinesis: Section
    on_demand: Section
    on_demand_advantage: Section
    tiers: Mapping[str, Tiers]
    functions: Section
    monitoring: Section
    aggregation: Section
    predictions: Section
    decisions: Section

    @property
    def month_seconds(self) -> float:
        """Seconds of a month."""
        return self.limits.month_hours * 3600


def read(path: Path = PRICES, changes: Mapping[str, float] | None = None) -> Prices:
    """Read a file of prices.

    Args:
        path: The file. It must have the same figures as `prices.toml`.
        changes: Figures to replace, by section and name, such as `kinesis.shard_hour`.

    Raises:
        OpsError: A figure is missing, unknown or out of range.
    """
    figures = _read(path)
    if path != PRICES:
        _require_names(figures, expected=_read(PRICES), path=path)
    for name, value in (changes or {}).items():
        if name not in figures:
            raise OpsError(f"--set failed: figure={name}; expected one of capacity/{PRICES.name}")
        figures[name] = value
    for name, value in figures.items():
        if expected := _expected(name, value):
            raise OpsError(f"prices cannot be used: {name}={value!r}; expected {expected}")
    return _prices(figures)


def _read(path: Path) -> dict[str, Any]:
    """Read the value of each figure.

    Raises:
        OpsError: The file is missing or is not TOML.
    """
    try:
        return dict(_values(tomllib.loads(path.read_text())))
    except (OSError, ValueError) as error:
        raise OpsError(f"prices cannot be read from {path}: {error}") from None


def _values(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, figures in content.items():
        if section == "sources":
            continue
        if not isinstance(figures, dict):
            yield section, figures
            continue
        for name, figure in figures.items():
            yield f"{section}.{name}", figure.get("value") if isinstance(figure, dict) else None


def _require_names(figures: Mapping[str, Any], expected: Mapping[str, Any], path: Path) -> None:
    wrong = sorted(figures.keys() ^ expected.keys())
    if wrong:
        raise OpsError(
            f"prices cannot be read from {path}: missing or unknown {', '.join(wrong[:_SHOWN])}; "
            f"expected the {len(expected)} figures of capacity/{PRICES.name}"
        )


def _expected(name: str, value: Any) -> str | None:
    """Return what a figure has to be, if it is something else."""
    if name.startswith("tiers."):
        return None if _is_tiers(value) else "pairs of units and a price, with units from 0 on"
    if not _is_number(value):
        return "a number of at least 0"
    if name.startswith("limits.") and not value:
        return "a number over 0"
    return "a number from 0 to 1" if name.endswith("_share") and value > 1 else None


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and 0 <= value < inf


def _is_tiers(value: Any) -> bool:
    pairs = isinstance(value, list) and all(isinstance(each, list) for each in value)
    if not pairs or not all(len(each) == 2 and all(map(_is_number, each)) for each in value):  # noqa: PLR2004
        return False
    starts = [start for start, _ in value]
    return starts[:1] == [0] and all(low < high for low, high in pairwise(starts))


def _prices(figures: Mapping[str, Any]) -> Prices:
    sections: dict[str, dict[str, Any]] = defaultdict(dict)
    for place, value in figures.items():
        section, _, name = place.partition(".")
        sections[section][name] = value
    tiers = sections.pop("tiers")
    return Prices(tiers=tiers, **{name: Section(**each) for name, each in sections.items()})
