"""Rides of a made-up city."""

from statistics import correlation, mean

import pytest

from model_service.records.ride_events import Ride
from training.examples import Examples
from training.model import fit, score
from training.synthetic_rides import ZONES, SyntheticRide, synthetic_rides

COUNT = 4_000


@pytest.fixture(scope="module")
def rides() -> list[SyntheticRide]:
    return synthetic_rides(COUNT, seed=1)


def test_synthetic_rides_same_seed_same_rides(rides: list[SyntheticRide]) -> None:
    """A seed always makes the same rides."""
    assert synthetic_rides(COUNT, seed=1) == rides


def test_synthetic_rides_other_seed_other_rides(rides: list[SyntheticRide]) -> None:
    """Another seed makes other rides."""
    assert synthetic_rides(COUNT, seed=2) != rides


def test_synthetic_rides_values_are_those_of_usable_trips(rides: list[SyntheticRide]) -> None:
    """Zones are TLC's, distances and tips not negative, durations 1 to 60 minutes."""
    for made in rides:
        assert 1 <= made.ride.PULocationID <= ZONES
        assert 1 <= made.ride.DOLocationID <= ZONES
        assert made.ride.trip_distance >= 0
        assert 1 <= made.duration <= 60
        assert made.tip >= 0


def test_synthetic_rides_some_measure_no_distance(rides: list[SyntheticRide]) -> None:
    """About 3 % of the taximeters measure no distance."""
    assert mean(made.ride.trip_distance == 0 for made in rides) == pytest.approx(0.03, abs=0.01)


def test_synthetic_rides_popular_zones_have_most(rides: list[SyntheticRide]) -> None:
    """A fifth of the zones is where more than half of the rides start."""
    starts = [made.ride.PULocationID for made in rides]
    counts = sorted((starts.count(zone) for zone in range(1, ZONES + 1)), reverse=True)

    assert sum(counts[: ZONES // 5]) > COUNT / 2


def test_synthetic_rides_longer_ones_are_tipped_more(rides: list[SyntheticRide]) -> None:
    """Tips grow with durations."""
    assert correlation([made.duration for made in rides], [made.tip for made in rides]) > 0.5


def test_synthetic_rides_of_one_seed_predict_those_of_another(rides: list[SyntheticRide]) -> None:
    """A model of one seed's rides explains most of another seed's durations."""
    model = fit(durations(rides))

    assert score(model, durations(synthetic_rides(COUNT // 4, seed=2))).r2 > 0.7


def durations(rides: list[SyntheticRide]) -> Examples:
    taken: list[Ride] = [made.ride for made in rides]
    return Examples("synthetic", taken, [made.duration for made in rides])
