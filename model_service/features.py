"""Ride -> model features: the one definition for training, stream, web and batch."""

from math import log1p
from typing import Final

from model_service.events import Ride

Features = dict[str, str | float]

# Taximeters report up to 100,000 miles. A ride of at most an hour is shorter than this.
MAX_DISTANCE_MILES = 40.0


def ride_features(ride: Ride) -> Features:
    """The features of one ride: zones as categories, miles as numbers.

    A distance of 0 means that the taximeter did not measure one, which is a feature of its own.
    """
    pickup, dropoff = str(ride.PULocationID), str(ride.DOLocationID)
    distance = min(ride.trip_distance, MAX_DISTANCE_MILES)
    return {
        "PU_DO": f"{pickup}_{dropoff}",
        "PU": pickup,
        "DO": dropoff,
        "trip_distance": distance,
        "log_distance": log1p(distance),
        "no_distance": float(distance == 0),
    }


# Name and kind of each feature, for those who check what a model was trained on.
EXAMPLE_FEATURES: Final = ride_features(Ride(1, 1, 0.0))
