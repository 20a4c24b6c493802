"""Linear models as tables of weights: what training makes of them, in one file of JSON.

A ride's prediction is a handful of lookups and sums. That needs no library but numpy, so such a
model starts and predicts faster than one of any other flavour.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from model_service.models.memory_limit import at_most, loading_bytes
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import inside
from model_service.records.features import (
    DROPOFF,
    FEATURES,
    MADE,
    PAIR,
    PICKUP,
    Features,
    Key,
    key_of,
)
from streams.errors import brief

FLAVOR: Final = "weights"

# Most pairs of zones whose sums are kept ready, in 8 MB. TLC's 265 zones make 70,000.
_MAX_SUMS = 1_000_000


class Lookup(Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of a text feature.

    Attributes:
        weights: By what the feature may be.
        default: Of everything else.
    """

    weights: dict[str, float]
    default: float


_NOTHING = Lookup({}, 0.0)


class Weights(Struct, frozen=True, forbid_unknown_fields=True):
    """A linear model: the sum of an intercept, of numbers times their weights, and of lookups.

    Attributes:
        intercept: In the unit of the prediction.
        numbers: Weights of numeric features, by name.
        texts: Those of text features, by name.
    """

    intercept: float
    numbers: dict[str, float]
    texts: dict[str, Lookup]


class LinearModel:
    """Predicts with weights."""

    def __init__(self, weights: Weights) -> None:
        self._intercept = weights.intercept
        self._numbers = list(weights.numbers.items())
        self._zone_sums = _zone_sums(weights.texts)

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        columns: Mapping[str, Any] = features
        values = np.full(len(columns[PICKUP]), self._intercept)
        for name, weight in self._numbers:
            values += columns[name] * weight
        values += self._zone_sums.of_all(columns[PICKUP], columns[DROPOFF])
        predictions: list[float] = values.tolist()
        return predictions


class _Table(dict[Any, float]):
    """Weights by key, and one for all other keys."""

    default = 0.0

    def __missing__(self, key: Key) -> float:
        return self.default


class _ZoneTables(NamedTuple):
    """What the zones of a ride weigh, as a pair and either by itself."""

    pairs: _Table
    pickups: _Table
    dropoffs: _Table

    def of(self, pickup: int, dropoff: int) -> float:
        """The sum for one ride."""
        return self.pairs[pickup, dropoff] + self.pickups[pickup] + self.dropoffs[dropoff]

    def of_all(self, pickups: Sequence[int], dropoffs: Sequence[int]) -> NDArray[np.float64]:
        """A sum for each ride."""
        return np.fromiter(map(self.of, pickups, dropoffs), np.float64, len(pickups))


class _Places(dict[int, int]):
    """Where zones are in an array; all others are after them."""

    def __missing__(self, zone: int) -> int:
        return len(self)

    def of_all(self, zones: Sequence[int]) -> NDArray[np.intp]:
        """A place for each zone."""
        return np.fromiter(map(self.__getitem__, zones), np.intp, len(zones))


class _ZoneArray:
    """The sums of `_ZoneTables`, made ahead: a row a pickup zone, a column a drop-off zone.

    In the last row and the last column are those of zones without weights.
    """

    def __init__(
        self, tables: _ZoneTables, pairs: Sequence[tuple[int, int]], rows: _Places, columns: _Places
    ) -> None:
        self._rows, self._columns = rows, columns
        # In the order of `_ZoneTables.of`, which gives the same bits.
        of_rows = np.array([*map(tables.pickups.__getitem__, rows), tables.pickups.default])
        of_columns = np.array([*map(tables.dropoffs.__getitem__, columns), tables.dropoffs.default])
        sums: NDArray[np.float64] = np.add.outer(tables.pairs.default + of_rows, of_columns)
        of_pairs = np.array([tables.pairs[pair] for pair in pairs])
        row = rows.of_all([pickup for pickup, _ in pairs])
        column = columns.of_all([dropoff for _, dropoff in pairs])
        sums[row, column] = of_pairs + of_rows[row] + of_columns[column]
        self._sums = sums

    def of_all(self, pickups: Sequence[int], dropoffs: Sequence[int]) -> NDArray[np.float64]:
        """A sum for each ride."""
        return self._sums[self._rows.of_all(pickups), self._columns.of_all(dropoffs)]


def _zone_sums(texts: Mapping[str, Lookup]) -> _ZoneTables | _ZoneArray:
    """An array, unless one of so many zones would take too much memory."""
    tables = _ZoneTables(*(_table(texts.get(name, _NOTHING)) for name in (PAIR, PICKUP, DROPOFF)))
    pairs = [key for key in tables.pairs if isinstance(key, tuple)]
    rows = _places({pickup for pickup, _ in pairs}, tables.pickups)
    columns = _places({dropoff for _, dropoff in pairs}, tables.dropoffs)
    if (len(rows) + 1) * (len(columns) + 1) > _MAX_SUMS:
        return tables
    return _ZoneArray(tables, pairs, rows, columns)


def _places(zones: set[int], table: _Table) -> _Places:
    known = zones.union(key for key in table if isinstance(key, int))
    return _Places((zone, place) for place, zone in enumerate(known))


def _table(lookup: Lookup) -> _Table:
    table = _Table((key_of(text), weight) for text, weight in lookup.weights.items())
    table.default = lookup.default
    return table


def load_linear(folder: Path, flavor: Mapping[str, Any]) -> LinearModel:
    """Load the weights of a model.

    Raises:
        ModelRefused: They are of features that are not made here.
    """
    path = inside(folder, flavor.get("data"))
    with at_most(loading_bytes(folder)):
        weights = msgspec.json.decode(path.read_bytes(), type=Weights)
        model = LinearModel(weights)
    for kind, names in ((float, weights.numbers), (str, weights.texts)):
        unknown = [name for name in names if FEATURES.get(name) is not kind]
        if unknown:
            raise ModelRefused(
                f"{path} has weights of {brief(repr(unknown[0]))} ({kind.__name__}), which {MADE}"
            )
    return model
