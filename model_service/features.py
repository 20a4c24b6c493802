"""Ride -> model features: the one definition for training, stream, web and batch.

Features are made by the column, a batch at a time: a few vector operations cost a ride far less
than an object of its own would.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_service.events import Ride

Column = list[str] | NDArray[np.float64]

# By name, and in this order: a value for each ride.
Features = Mapping[str, Column]

# The features of one ride, as a DictVectorizer takes them.
Row = dict[str, str | float]

# Taximeters report up to 100,000 miles. A ride of at most an hour is shorter than this.
MAX_DISTANCE_MILES = 40.0


def ride_features(rides: Sequence[Ride]) -> Features:
    """The features of some rides: zones as categories, miles as numbers."""
    return zone_features(
        [ride.PULocationID for ride in rides],
        [ride.DOLocationID for ride in rides],
        np.array([ride.trip_distance for ride in rides], dtype=np.float64),
    )


def zone_features(
    pickups: Sequence[int], dropoffs: Sequence[int], distances: NDArray[np.float64]
) -> Features:
    """The features of rides that are columns already.

    A distance of 0 means that the taximeter did not measure one, which is a feature of its own.

    Args:
        pickups: TLC zones where the rides start.
        dropoffs: TLC zones where they end.
        distances: Miles, finite, at least 0.
    """
    starts, ends = list(map(str, pickups)), list(map(str, dropoffs))
    miles = np.minimum(distances, MAX_DISTANCE_MILES)
    return {
        "PU_DO": [f"{start}_{end}" for start, end in zip(starts, ends, strict=True)],
        "PU": starts,
        "DO": ends,
        "trip_distance": miles,
        "log_distance": np.log1p(miles),
        "no_distance": (miles == 0).astype(np.float64),
    }


def rows(features: Features) -> Iterator[Row]:
    """The features of one ride after the other."""
    columns = (to_list(column) for column in features.values())
    return (dict(zip(features, values, strict=True)) for values in zip(*columns, strict=True))


def table(features: Features) -> NDArray[Any]:
    """The features as an array of objects: a row a ride, a column a feature, in their order."""
    return np.array([to_list(column) for column in features.values()], dtype=object).T


def to_list(column: Column) -> Sequence[str | float]:
    """A column as text or as Python's floats."""
    return column if isinstance(column, list) else column.tolist()


# Name and type of each feature, for those who check what a model was trained on.
FEATURES: Final = {
    name: type(value) for name, value in next(rows(ride_features([Ride(1, 1, 0.0)]))).items()
}
