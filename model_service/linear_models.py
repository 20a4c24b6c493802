"""Linear models as tables of weights: what training makes of them, in one file of JSON.

A ride's prediction is a handful of lookups and sums. No library is needed for that, which is the
soonest to start and the quickest for one ride as for thousands.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from model_service.errors import ModelRefused, brief
from model_service.features import (
    DROPOFF,
    FEATURES,
    FEW,
    MADE,
    PAIR,
    PICKUP,
    Features,
    Key,
    key_of,
)
from model_service.memory import at_most, loading_bytes
from model_service.model_files import inside

FLAVOR: Final = "weights"


class Lookup(Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of a text feature.

    Attributes:
        weights: By what the feature may be.
        default: Of everything else.
    """

    weights: dict[str, float]
    default: float


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
        tables = {name: _table(lookup) for name, lookup in weights.texts.items()}
        self._lookups = [(name, table.__getitem__) for name, table in _joined(tables).items()]

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        rides = len(next(iter(features.values())))
        return self._sums_of_few(features, rides) if rides <= FEW else self._sums(features, rides)

    def _sums_of_few(self, features: Features, rides: int) -> list[float]:
        """What `_sums` gives, to the bit."""
        numbers: list[tuple[Any, float]] = [(features[name], w) for name, w in self._numbers]
        lookups = [(features[name], weight_of) for name, weight_of in self._lookups]
        values = []
        for place in range(rides):
            value = self._intercept
            for column, weight in numbers:
                value += column[place] * weight
            for column, weight_of in lookups:
                value += weight_of(column[place])
            values.append(value)
        return values

    def _sums(self, features: Features, rides: int) -> list[float]:
        values = np.full(rides, self._intercept)
        for name, weight in self._numbers:
            values += np.multiply(features[name], weight)
        for name, weight_of in self._lookups:
            values += np.fromiter(map(weight_of, features[name]), np.float64, rides)
        predictions: list[float] = values.tolist()
        return predictions


class _Table(dict[Any, float]):
    """Weights by key, and one for all other keys."""

    default = 0.0

    def __missing__(self, key: Key) -> float:
        return self.default


class _PairTable(dict[Any, float]):
    """Weights of pairs of zones, with those that either zone has by itself.

    Args:
        pairs: Of pairs.
        pickups: Of a pair's first zone.
        dropoffs: Of its second.
    """

    def __init__(self, pairs: _Table, pickups: _Table, dropoffs: _Table) -> None:
        self._default, self._pickups, self._dropoffs = pairs.default, pickups, dropoffs
        super().__init__(
            (key, weight + pickups[key[0]] + dropoffs[key[1]])
            for key, weight in pairs.items()
            if isinstance(key, tuple)
        )

    def __missing__(self, key: tuple[int, int]) -> float:
        pickup, dropoff = key
        return self._default + self._pickups[pickup] + self._dropoffs[dropoff]


def _table(lookup: Lookup) -> _Table:
    table = _Table((key_of(text), weight) for text, weight in lookup.weights.items())
    table.default = lookup.default
    return table


def _joined(tables: Mapping[str, _Table]) -> Mapping[str, dict[Any, float]]:
    """The tables, with those of zones in that of their pairs: one lookup a ride instead of three.

    Without one of pairs, they stay as they are.
    """
    if PAIR not in tables:
        return tables
    of_zones = (PAIR, PICKUP, DROPOFF)
    joined = _PairTable(*(tables.get(name, _Table()) for name in of_zones))
    return {PAIR: joined, **{name: t for name, t in tables.items() if name not in of_zones}}


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
