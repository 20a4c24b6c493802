"""Seeded rides of a made-up city, plausible enough to learn from when there are no real ones.

The city is always the same, so that rides of one seed predict those of another.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from model_service.records.ride_events import Ride
from tlc import MAX_MINUTES, MIN_MINUTES

ZONES = 265
NO_DISTANCE_SHARE = 0.03

_CITY_SEED = 1
_CITY_MILES = (11.0, 15.0)  # width and height
_LOCAL_MILES = 0.7  # what a ride inside of one zone covers
_DETOUR = 1.3  # a mile as the crow flies is this many by road
_REACH_MILES = 2.5  # how fast longer rides get rarer
_START_MINUTES = 2.0

_Floats = NDArray[np.float64]


class SyntheticRide(msgspec.Struct, frozen=True, gc=False):
    """A ride and how it went: `duration` in minutes, `tip` in dollars."""

    ride: Ride
    duration: float
    tip: float


@dataclass(frozen=True, slots=True)
class _City:
    """Zones on a plane.

    Attributes:
        miles: By road, from each zone to each.
        share: Of all rides, from each zone to each.
        pace: Minutes a mile takes in each zone.
    """

    miles: _Floats
    share: _Floats
    pace: _Floats


@cache
def _city() -> _City:
    rng = np.random.default_rng(_CITY_SEED)
    places = rng.uniform((0, 0), _CITY_MILES, size=(ZONES, 2))
    miles = _LOCAL_MILES + _DETOUR * np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    popularity = rng.permutation(1 / np.arange(1, ZONES + 1))
    share = np.outer(popularity, popularity) * np.exp(-miles / _REACH_MILES)
    return _City(miles, share / share.sum(), rng.uniform(2.5, 6, size=ZONES))


def synthetic_rides(count: int, seed: int) -> list[SyntheticRide]:
    """Make rides; the same count and seed always make the same ones.

    Popular zones have most of the rides, traffic and the zones at both ends decide how long a
    mile takes, and 3 % of the taximeters measure no distance.
    """
    rng, city = np.random.default_rng(seed), _city()
    pickup, dropoff = np.divmod(rng.choice(ZONES**2, size=count, p=city.share.ravel()), ZONES)
    miles = city.miles[pickup, dropoff] * rng.lognormal(0, 0.1, count)
    minutes = _minutes(miles, (city.pace[pickup] + city.pace[dropoff]) / 2, rng)
    tips = _tips(miles, minutes, rng)
    measured = np.where(rng.random(count) < NO_DISTANCE_SHARE, 0, miles.round(2))
    columns: tuple[NDArray[Any], ...] = (pickup + 1, dropoff + 1, measured, minutes, tips)
    return [
        SyntheticRide(Ride(start, end, distance), duration, tip)
        for start, end, distance, duration, tip in zip(*(c.tolist() for c in columns), strict=True)
    ]


def _minutes(miles: _Floats, pace: _Floats, rng: np.random.Generator) -> _Floats:
    """Minutes, to the second."""
    traffic = rng.lognormal(0, 0.25, len(miles))
    minutes = np.clip((_START_MINUTES + miles * pace) * traffic, MIN_MINUTES, MAX_MINUTES)
    return np.round(minutes * 60) / 60


def _tips(miles: _Floats, minutes: _Floats, rng: np.random.Generator) -> _Floats:
    """Dollars, to the cent: a share of the fare that differs from passenger to passenger."""
    fares = 3 + 2.5 * miles + 0.5 * minutes
    shares = np.maximum(rng.normal(0.18, 0.06, len(miles)), 0)
    return np.round(fares * shares, 2)
