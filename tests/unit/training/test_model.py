"""Features in, predictions out."""

from dataclasses import astuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline

from model_service.records.ride_events import Ride
from training.examples import Examples
from training.model import fit, inputs, predict, score

zones = st.integers(1, 265)
rides = st.builds(Ride, zones, zones, st.floats(0, 1e5))
examples = st.lists(st.tuples(rides, st.floats(1, 60)), min_size=2, max_size=20).map(
    lambda pairs: Examples("test", [ride for ride, _ in pairs], [label for _, label in pairs])
)


@given(examples)
@settings(max_examples=25, deadline=None)
def test_fit_same_rides_gives_the_same_predictions(known: Examples) -> None:
    """Two fits of the same rides predict bit for bit the same."""
    once, again = (predict(fit(known), known.rides) for _ in range(2))

    assert once.tolist() == again.tolist()


def test_fit_unknown_zone_is_predicted() -> None:
    """A zone that training has not seen is predicted from the rest of the ride."""
    known = Examples("test", [Ride(1, 2, 1.0), Ride(3, 4, 9.0)], [5.0, 40.0])
    short, long = predict(fit(known), [Ride(8, 9, miles) for miles in (1.0, 9.0)])

    assert short < long


def test_score_is_of_the_given_examples() -> None:
    """RMSE, MAE and R2 compare predictions with the labels of the examples."""
    ten = make_pipeline(DictVectorizer(), DummyRegressor(strategy="constant", constant=10.0))
    labelled = Examples("test", [Ride(1, 2, 1.0)] * 4, [10.0, 10.0, 10.0, 18.0])
    model = ten.fit(inputs(ten, labelled.rides), labelled.labels)

    assert astuple(score(model, labelled)) == pytest.approx((4.0, 2.0, 1 - 64 / 48))
