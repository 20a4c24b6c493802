"""Ride -> model features: the one definition for training, stream, web and batch.

Features are made by the column, a batch at a time: a few vector operations cost a ride far less
than an object of its own would. A few rides are sooner done without vectors.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from model_service.events import Ride

# What a text feature is told by: a zone, or the pair of zones of a ride. Models are trained on its
# text, see `text_of`; to look something up, numbers do, and making text takes longer than that.
Zones = int | tuple[int, int]
Key = Zones | str

# A value for each ride.
Numbers = Sequence[float] | NDArray[np.float64]
type Column = ZonePairs | Sequence[int] | NDArray[np.object_] | Numbers

# Numbers of up to so many rides are lists of floats, on which `linear_models` relies: vectors take
# longer to begin than lists take in all.
FEW: Final = 10

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
# As numpy would make them, for each batch again.
_MAX_MILES, _NO_MILES = np.array(MAX_DISTANCE_MILES), np.array(0.0)


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
    numbers = _as_lists if len(distances) <= FEW else _as_vectors
    miles, log_miles, no_miles = numbers(distances)
    return {
        PAIR: ZonePairs(pickups, dropoffs),
        PICKUP: pickups,
        DROPOFF: dropoffs,
        "trip_distance": miles,
        "log_distance": log_miles,
        "no_distance": no_miles,
    }


def _as_vectors(distances: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    miles = np.minimum(np.asarray(distances, np.float64), _MAX_MILES)
    return miles, np.log1p(miles), np.equal(miles, _NO_MILES).astype(np.float64)


def _as_lists(distances: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The numbers of `_as_vectors`, to the bit; `math.log1p` would give others."""
    miles = [min(float(distance), MAX_DISTANCE_MILES) for distance in distances]
    return miles, [float(np.log1p(mile)) for mile in miles], [float(mile == 0) for mile in miles]


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
    return [value if isinstance(value, float) else text_of(value) for value in column]


# Name and type of each feature, for those who check what a model was trained on.
FEATURES: Final = {
    name: type(value) for name, value in next(rows(ride_features([Ride(1, 1, 0.0)]))).items()
}

# How a model of others is refused.
MADE: Final = "model_service/features.py does not make; it makes " + ", ".join(
    f"{name} ({kind.__name__})" for name, kind in FEATURES.items()
)
