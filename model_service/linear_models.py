"""Linear models as tables of weights: what training makes of them, in one file of JSON.

A ride's prediction is a handful of lookups and sums. No library is needed for that, which is the
soonest to start and the quickest for one ride as for thousands.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from model_service.errors import ModelRefused, brief
from model_service.features import FEATURES, MADE, Features, Key, key_of
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
        self._texts = [(name, _getter(lookup)) for name, lookup in weights.texts.items()]

    def predict(self, features: Features) -> Sequence[float]:
        """One value for each ride of `features`, in their order."""
        rides = len(next(iter(features.values())))
        values = np.full(rides, self._intercept)
        for name, weight in self._numbers:
            values += np.multiply(features[name], weight)
        for found in self._looked_up(features, rides):
            values += found
        predictions: list[float] = values.tolist()
        return predictions

    def _looked_up(self, features: Features, rides: int) -> NDArray[np.float64]:
        """The weights of each text feature, a row each."""
        found = (map(weight_of, features[name]) for name, weight_of in self._texts)
        shape = len(self._texts), rides
        return np.fromiter(chain.from_iterable(found), np.float64, math.prod(shape)).reshape(shape)


class _Table(dict[Key, float]):
    """Weights by key, and one for all other keys."""

    default: float

    def __missing__(self, key: Key) -> float:
        return self.default


def _getter(lookup: Lookup) -> Callable[[Any], float]:
    table = _Table((key_of(text), weight) for text, weight in lookup.weights.items())
    table.default = lookup.default
    return table.__getitem__


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
