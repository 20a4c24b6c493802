"""How far a twin's predictions are from those of its model."""

from collections.abc import Sequence

import numpy as np

from model_service.models.predictors import Predictor
from model_service.models.zone_types import TLC_ZONES
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from training.training_errors import CannotConvert

# In the unit of the prediction (minutes, dollars): far below what a prediction is good for, and
# far above what rounding does, so that more than this is a fault of the conversion.
MAX_DIFFERENCE = 1e-4

# What no training data has, and the function is sent: unknown zones, no distance, far too much.
_CORNERS = [
    Ride(pickup, dropoff, miles)
    for pickup, dropoff in ((1, 1), (-1, 265), (10**9, 10**9))
    for miles in (0.0, 5e-324, 0.01, 39.999999, 40.0, 1e308)
]

# The rides that are given may leave out a zone that the model knows.
_EVERY_ZONE = [Ride(zone, max(TLC_ZONES) + 1 - zone, 3.0) for zone in TLC_ZONES]


def largest_difference(model: Predictor, twin: Predictor, rides: Sequence[Ride]) -> float:
    """Compare a model with its twin on rides, in each of TLC's zones, and on odd rides.

    Args:
        model: A model, as it is served without its twin.
        twin: Its twin.
        rides: Best some that the model was not trained on.

    Returns:
        The largest difference, in the unit of the prediction.

    Raises:
        CannotConvert: It is more than `MAX_DIFFERENCE`.
    """
    rides = [*rides, *_CORNERS, *_EVERY_ZONE]
    features = ride_features(rides)
    predicted = twin.predict(features)
    differences = np.abs(np.asarray(model.predict(features)) - np.asarray(predicted))
    worst = int(np.argmax(differences))
    # A difference that is no number is none that is small.
    if not differences[worst] <= MAX_DIFFERENCE:
        raise CannotConvert(
            f"its twin predicts {predicted[worst]} for {rides[worst]}, and it differs by "
            f"{differences[worst]}; {MAX_DIFFERENCE} is allowed"
        )
    return float(differences[worst])
