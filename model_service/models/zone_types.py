"""The types of a model's columns: zones may be text, integers or floats."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from model_service.records.features import (
    DROPOFF,
    PAIR,
    PICKUP,
    Column,
    Features,
    ZonePairs,
    zone_features,
)

TLC_ZONES: Final = range(1, 266)
_UNKNOWN_ZONE = -1


class ColumnType(NamedTuple):
    """What a model takes a feature as.

    Attributes:
        kind: str, int or float.
        dtype: The column's in a data frame or a table.
    """

    kind: Callable[[Any], Any]
    dtype: Any


TEXT: Final = ColumnType(str, object)
INTEGERS: Final = ColumnType(int, np.int64)

# By MLflow's names.
SIGNATURE_TYPES: Final = {
    "string": TEXT,
    "integer": ColumnType(int, np.int32),
    "long": INTEGERS,
    "float": ColumnType(float, np.float32),
    "double": ColumnType(float, np.float64),
}


def typed(features: Features, types: Mapping[str, ColumnType]) -> Features:
    """Return the same features, with those that a model takes as numbers in columns of its types.

    Zones that it takes as text stay as they are.
    """
    numbers = {name: made for name, made in types.items() if made.kind is not str}
    return {**features, **{name: _column(features[name], made) for name, made in numbers.items()}}


def _column(values: Column, made: ColumnType) -> Any:
    numbers: Iterable[Any] = values
    if made.dtype is not object and made.kind is int:
        # A zone that is too large for the type is unknown to every model, as is the largest one.
        limits = np.iinfo(made.dtype)
        numbers = (min(max(value, limits.min), limits.max) for value in numbers)
    return np.array([made.kind(value) for value in numbers], made.dtype)


def ignored(predict: Callable[[Features], Any], names: Collection[str]) -> list[str]:
    """Return the zones and pairs that change no prediction, whichever of TLC's they are.

    Args:
        predict: Predicts a value for each ride.
        names: Features of zones.
    """
    return [name for name in names if not _matters(predict, name)]


def _matters(predict: Callable[[Features], Any], name: str) -> bool:
    zones = [*TLC_ZONES]
    unknown = [_UNKNOWN_ZONE] * len(zones)
    column = ZonePairs(unknown, unknown) if name == PAIR else unknown
    miles = np.linspace(0.5, 30.0, len(zones))
    for zone in zones:
        features = zone_features(zones, [zone] * len(zones), miles)
        if name == DROPOFF:
            features = {**features, PICKUP: features[DROPOFF], DROPOFF: features[PICKUP]}
        if _differ(predict, features, {**features, name: column}):
            return True
    return False


def _differ(predict: Callable[[Features], Any], some: Features, others: Features) -> bool:
    try:
        return not np.array_equal(predict(some), predict(others), equal_nan=True)
    except MemoryError:
        raise
    except Exception:  # a model may raise on zones that it does not know
        return True
