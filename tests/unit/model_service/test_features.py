from math import log1p

from model_service.events import Ride
from model_service.features import MAX_DISTANCE_MILES, ride_features


def test_ride_features_of_the_contract_example() -> None:
    """Zones are categories, with the pair from pickup to drop-off; miles are numbers."""
    assert ride_features(Ride(130, 205, 3.66)) == {
        "PU_DO": "130_205",
        "PU": "130",
        "DO": "205",
        "trip_distance": 3.66,
        "log_distance": log1p(3.66),
        "no_distance": 0.0,
    }


def test_ride_features_broken_taximeter_is_clipped() -> None:
    """A distance of 100,000 miles counts as the longest plausible one."""
    features = ride_features(Ride(1, 2, 100_000.0))

    assert features["trip_distance"] == MAX_DISTANCE_MILES
    assert features["log_distance"] == log1p(MAX_DISTANCE_MILES)


def test_ride_features_no_distance_is_a_feature() -> None:
    """A distance of 0 says that none was measured."""
    assert ride_features(Ride(1, 2, 0.0))["no_distance"] == 1.0
