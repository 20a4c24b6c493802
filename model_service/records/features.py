"""Ride -> model features: the one definition for training, stream, web and batch.

Features are computed per batch, as one column each: a few vector operations cost far less than an
object for each ride.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from model_service.records.ride_events import Ride

# What a text feature is told by: a zone, or the pair of zones of a ride. Models are trained on its
# text, see `text_of`; to look something up, numbers do, and making text takes longer than that.
Zones = int | tuple[int, int]
Key = Zones | str

# A value for each ride.
Numbers = Sequence[float] | NDArray[np.float64]
type Column = ZonePairs | Sequence[int] | NDArray[np.object_] | NDArray[np.float64]

# By name, and in this order.
Features = Mapping[str, Column]

# The features of one ride, as a DictVectorizer takes them.
Row = dict[str, str | float]

# Features of zones, by themselves and as a pair.
PICKUP: Final = "PU"
DROPOFF: Final = "DO"
PAIR: Final = "PU_DO"

# Taximeters report up to 100,000 miles. A ride of at most an hour is shorter than this.
MAX_DISTANCE_MILES = 40.0


class ZonePairs(Struct, frozen=True):
    """The pair of zones of each ride, made as it is iterated over: not every model does that.

    Attributes:
        pickups: Zones where the rides start.
        dropoffs: Zones where they end.
    """

    pickups: Sequence[int]
    dropoffs: Sequence[int]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.pickups, self.dropoffs, strict=True)


def ride_features(rides: Sequence[Ride]) -> Features:
    """The features of some rides: zones as categories, miles as numbers."""
    return zone_features(
        [ride.PULocationID for ride in rides],
        [ride.DOLocationID for ride in rides],
        [ride.trip_distance for ride in rides],
    )


def zone_features(pickups: Sequence[int], dropoffs: Sequence[int], distances: Numbers) -> Features:
    """The features of rides that are columns already.

    A distance of 0 means that the taximeter did not measure one, which is a feature of its own.

    Args:
        pickups: TLC zones where the rides start.
        dropoffs: TLC zones where they end.
        distances: Miles, finite, at least 0.

    Raises:
        ValueError: These are not as many as each other.
    """
    if not len(pickups) == len(dropoffs) == len(distances):
        raise ValueError(
            f"{len(pickups)} pickups, {len(dropoffs)} drop-offs and {len(distances)} distances"
        )
    miles = np.minimum(np.asarray(distances, np.float64), MAX_DISTANCE_MILES)
    return {
        PAIR: ZonePairs(pickups, dropoffs),
        PICKUP: pickups,
        DROPOFF: dropoffs,
        "trip_distance": miles,
        "log_distance": np.log1p(miles),
        "no_distance": (miles == 0).astype(np.float64),
    }


def text_of(key: Key) -> str:
    """A value of a text feature, as models are trained on it."""
    return f"{key[0]}_{key[1]}" if isinstance(key, tuple) else str(key)


def key_of(text: str) -> Key:
    """What a value of a text feature is told by; a text that no ride has stays one.

    So does one of more digits than a zone ever had: a dictionary of such numbers, or of pairs of
    them, can be crafted to take for ever. Up to nine digits, no pairs to speak of share a hash.
    """
    found = _zones(text)
    if found is None:
        return text
    pickup, dropoff = found.groups()
    return int(pickup) if dropoff is None else (int(pickup), int(dropoff))


_ZONE = "(0|-?[1-9][0-9]{0,8})"
_zones = re.compile(f"{_ZONE}(?:_{_ZONE})?").fullmatch


def rows(features: Features) -> Iterator[Row]:
    """The features of one ride after the other."""
    columns = (to_list(column) for column in features.values())
    return (dict(zip(features, values, strict=True)) for values in zip(*columns, strict=True))


def table(features: Features) -> NDArray[Any]:
    """The features as an array of objects: a row a ride, a column a feature, in their order."""
    return np.array([to_list(column) for column in features.values()], dtype=object).T


def to_list(column: Column) -> Sequence[str | float]:
    """Return the numbers of an array, or the texts of zones."""
    if isinstance(column, np.ndarray):
        numbers: list[float] = column.tolist()
        return numbers
    return list(map(text_of, column))


# Name and type of each feature, for those who check what a model was trained on.
FEATURES: Final = {
    name: type(value) for name, value in next(rows(ride_features([Ride(1, 1, 0.0)]))).items()
}

# How a model of others is refused.
MADE: Final = "model_service/records/features.py does not make; it makes " + ", ".join(
    f"{name} ({kind.__name__})" for name, kind in FEATURES.items()
)
