from math import log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_service.records.features import (
    FEATURES,
    MAX_DISTANCE_MILES,
    Row,
    key_of,
    ride_features,
    rows,
    table,
    text_of,
    zone_features,
)
from model_service.records.ride_events import Ride

rides = st.builds(Ride, st.integers(), st.integers(), st.floats(0, 1e9))


def features_of(ride: Ride) -> Row:
    (row,) = rows(ride_features([ride]))
    return row


def test_ride_features_of_the_contract_example() -> None:
    """Zones are categories, with the pair from pickup to drop-off; miles are numbers."""
    assert features_of(Ride(130, 205, 3.66)) == {
        "PU_DO": "130_205",
        "PU": "130",
        "DO": "205",
        "trip_distance": 3.66,
        "log_distance": pytest.approx(log1p(3.66), rel=1e-15),
        "no_distance": 0.0,
    }


def test_ride_features_broken_taximeter_is_clipped() -> None:
    """A distance of 100,000 miles counts as the longest plausible one."""
    features = features_of(Ride(1, 2, 100_000.0))

    assert features["trip_distance"] == MAX_DISTANCE_MILES
    assert features["log_distance"] == features_of(Ride(1, 2, MAX_DISTANCE_MILES))["log_distance"]


def test_ride_features_no_distance_is_a_feature() -> None:
    """A distance of 0 says that none was measured."""
    assert features_of(Ride(1, 2, 0.0))["no_distance"] == 1.0


@given(st.lists(rides, max_size=20))
def test_ride_features_of_a_batch_are_those_of_each_ride(batch: list[Ride]) -> None:
    """A ride has the same features, to the bit, whatever rides are in its batch."""
    assert list(rows(ride_features(batch))) == [features_of(ride) for ride in batch]


@pytest.mark.parametrize("lengths", [(2, 1, 2), (1, 2, 2), (20, 20, 1), (20, 1, 20)])
def test_columns_of_different_lengths_are_refused(lengths: tuple[int, int, int]) -> None:
    """One value would count for all rides otherwise."""
    pickups, dropoffs, distances = lengths

    with pytest.raises(
        ValueError, match=f"{pickups} pickups, {dropoffs} drop-offs and {distances} "
    ):
        zone_features([1] * pickups, [2] * dropoffs, np.ones(distances))


def test_table_has_a_row_a_ride_and_a_column_a_feature() -> None:
    """As a table, features keep their order and their types."""
    made = table(ride_features([Ride(1, 2, 3.0), Ride(4, 5, 0.0)]))

    assert made.shape == (2, len(FEATURES))
    assert made[1].tolist() == ["4_5", "4", "5", 0.0, 0.0, 1.0]
    assert made.dtype == np.object_


_zone = st.integers(1 - 10**9, 10**9 - 1)


@given(_zone | st.tuples(_zone, _zone))
def test_key_of_a_rides_text_is_the_rides_own(key: int | tuple[int, int]) -> None:
    """What a model was trained on as text is found by the numbers of a ride."""
    assert key_of(text_of(key)) == key


@given(st.text("0123456789-_+ \n\u0661", max_size=40) | st.text())
def test_key_of_any_other_text_is_the_text(text: str) -> None:
    """A text that is not as a ride would have it, such as one with a leading zero, is no key."""
    assert text_of(key_of(text)) == text


@pytest.mark.parametrize("zone", [10**9, -(10**9), 10**16, 2**61 - 1])
def test_key_of_more_digits_than_a_zone_has_is_the_text(zone: int) -> None:
    """Of long numbers, thousands of pairs of one hash are soon found."""
    for text in (str(zone), f"1_{zone}", f"{zone}_1"):
        assert key_of(text) == text
