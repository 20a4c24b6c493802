"""Rows of trips -> scored rows."""

import gc
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.account import Account, total
from batch.scorer import SCORED, Scorer
from model_service.models.loading import Model
from model_service.models.model_errors import ModelBroken
from model_service.records.features import Features, ride_features
from model_service.records.ride_events import Ride, decode_ride_event
from streams.errors import Rejected
from tests.unit.batch.chunks import NOON, chunk


class MilesModel:
    """Predicts two minutes a mile; raises on a zone, and has no answer to another."""

    broken = 13
    endless = 14

    def predict(self, features: Features) -> Sequence[float]:
        if self.broken in features["PU"]:
            raise ValueError("no such zone")
        miles = np.asarray(features["trip_distance"], dtype=float)
        zones = np.array(features["PU"])
        minutes: list[float] = np.where(zones == self.endless, np.inf, 2 * miles).tolist()
        return minutes


def scorer(predictor: Any = None) -> Scorer:
    return Scorer(Model("model", "Test123", "ride_duration", predictor or MilesModel()))


def column(scored: pa.RecordBatch, name: str) -> list[Any]:
    values: list[Any] = scored[name].to_pylist()
    return values


def test_score_row_has_what_is_known_of_the_ride() -> None:
    """IDs, times, zones, distance, both durations, their difference and the version."""
    scored = scorer().score(chunk(miles=[3.0], row=[7]), "green-2021-01-")

    assert scored.schema == SCORED
    assert scored.to_pylist() == [
        {
            "ride_id": "green-2021-01-7",
            "pickup_time": datetime(2021, 1, 1, 12),
            "pickup_zone": 130,
            "dropoff_zone": 205,
            "distance_miles": 3.0,
            "predicted_minutes": 6.0,
            "actual_minutes": 10.0,
            "difference_minutes": -4.0,
            "rejected": None,
            "rejected_detail": None,
            "model_version": "Test123",
        }
    ]


@pytest.mark.parametrize(
    ("columns", "detail"),
    [
        ({"start": pa.array([None], pa.int64())}, "ride.PULocationID is null; it must be an int"),
        ({"end": pa.array([None], pa.string())}, "ride.DOLocationID is null; it must be an int"),
        ({"end": ["Bronx"]}, 'ride.DOLocationID is "Bronx"; it must be an integer, a TLC zone ID'),
        ({"end": [43.5]}, "ride.DOLocationID is 43.5; it must be an integer"),
        ({"miles": [float("nan")]}, "ride.trip_distance is NaN; it must be a finite number >= 0"),
        ({"miles": [float("inf")]}, "ride.trip_distance is Infinity; it must be a finite number"),
        ({"miles": [-1.5]}, "ride.trip_distance is -1.5; it must be a finite number >= 0"),
        ({"miles": pa.array([None], pa.float64())}, "ride.trip_distance is null; it must be a"),
    ],
)
def test_score_row_that_is_no_ride_is_kept_with_the_reason(
    columns: dict[str, Any], detail: str
) -> None:
    """What the stream would reject has no prediction, and the words that the stream has for it."""
    (row,) = scorer().score(chunk(**columns), "x-").to_pylist()

    assert (row["predicted_minutes"], row["difference_minutes"]) == (None, None)
    assert row["rejected"] == "invalid_event"
    assert row["rejected_detail"].startswith(detail)


@pytest.mark.parametrize("zone", [43, 43.0, "43", " 43 ", "43.0"])
def test_score_zone_is_the_same_in_every_type_that_tlc_had(zone: Any) -> None:
    """Integers, floats and text are one zone."""
    scored = scorer().score(chunk(start=[zone]), "x-")

    assert column(scored, "pickup_zone") == [43]
    assert column(scored, "predicted_minutes") == [7.32]


def test_score_ride_that_the_model_fails_on_leaves_its_neighbours() -> None:
    """The rides around one that the model raises on, or has no finite value for, are predicted."""
    starts = [1, 13, 2, 14, 3, 13]

    scored = scorer().score(chunk(start=starts, miles=[1.0] * 6), "x-")

    assert column(scored, "predicted_minutes") == [2, None, 2, None, 2, None]
    assert column(scored, "rejected") == [
        None,
        "model_error",
        None,
        "prediction_not_finite",
        None,
        "model_error",
    ]
    assert column(scored, "rejected_detail")[1] == "the model raised ValueError: no such zone"


def test_score_leaves_no_chunk_for_the_garbage_collector() -> None:
    """What is rejected keeps nothing alive, so that memory stays flat over a year of files."""
    scoring = scorer()
    before = pa.total_allocated_bytes()

    gc.disable()
    try:
        scoring.score(chunk(start=[1, 13, 14, None], miles=[1.0] * 4), "x-")
        held = pa.total_allocated_bytes() - before
    finally:
        gc.enable()

    assert held == 0


class BrokenModel:
    """Raises on every ride."""

    def predict(self, features: Features) -> Sequence[float]:
        raise ValueError("no such zone")


def test_score_model_that_fails_on_every_ride_is_broken() -> None:
    """No file is scored with a model that predicts nothing; the message names no ride."""
    with pytest.raises(ModelBroken, match="version Test123 failed on each of the first 2 rides"):
        scorer(BrokenModel()).score(chunk(start=[13, 13]), "x-")


def test_score_chunk_of_bad_rides_alone_is_rejected() -> None:
    """A file that begins with bad rides is scored, because the model predicts other rides."""
    assert column(scorer().score(chunk(start=[13]), "x-"), "rejected") == ["model_error"]


def test_score_chunk_of_bad_rides_after_good_ones_is_rejected() -> None:
    """A model that has predicted one ride is not broken, also if it knows few zones."""

    class FewZones:
        def predict(self, features: Features) -> Sequence[float]:
            return [{"1": 5.0}[str(zone)] for zone in features["PU"]]

    one = scorer(FewZones())
    one.score(chunk(start=[1]), "x-")

    assert column(one.score(chunk(start=[13]), "x-"), "rejected") == ["model_error"]


def test_score_rows_without_a_time_are_predicted_and_not_compared() -> None:
    """How long such a ride took is not known, which a prediction does not need."""
    scored = scorer().score(chunk(dropoff=pa.array([None], pa.timestamp("us"))), "x-")

    assert column(scored, "actual_minutes") == [None]
    assert column(scored, "predicted_minutes") == [7.32]
    assert Account.of(scored).compared == 0


def test_score_ride_of_centuries_leaves_its_neighbours() -> None:
    """A clock that is off by more than a float's microseconds does not stop the file."""
    dropoff = pa.array([datetime(9999, 1, 1, 0, 0, 0, 1), NOON], pa.timestamp("us"))

    scored = scorer().score(chunk(dropoff=dropoff), "x-")

    assert column(scored, "predicted_minutes") == [7.32, 7.32]
    assert column(scored, "actual_minutes") == [4_196_021_040, 0]


def test_score_impossible_times_are_not_compared() -> None:
    """A duration that does not fit into 64 bits does not wrap around to that of a usual ride."""
    last, ten_minutes = 2**63 - 1, 600_000_000
    pickup = pa.array([last], pa.timestamp("us"))
    dropoff = pa.array([last + ten_minutes - 2**64], pa.timestamp("us"))

    scored = scorer().score(chunk(pickup=pickup, dropoff=dropoff), "x-")

    assert column(scored, "actual_minutes")[0] < 0
    assert Account.of(scored).compared == 0


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats() | st.integers(0, 300).map(float),
            st.none() | st.floats(),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_score_row_is_predicted_exactly_if_the_stream_takes_it(
    rides: list[tuple[int | None, float | None, float | None]],
) -> None:
    """One rule for both doors: each row of a file is a ride on the stream, or is rejected there."""
    starts, ends, miles = zip(*rides, strict=True)
    typed = {
        "start": pa.array(starts, pa.int64()),
        "end": pa.array(ends, pa.float64()),
        "miles": pa.array(miles, pa.float64()),
    }

    scored = scorer(Steady()).score(chunk(**typed), "x-")

    for start, end, distance, rejected in zip(
        starts, ends, miles, column(scored, "rejected"), strict=True
    ):
        whole = end is not None and end.is_integer() and abs(end) < 2**63
        ride = Ride(start, int(end) if whole and end else end, distance)
        assert (rejected is None) == _is_taken(ride)


class Steady:
    """Predicts five minutes."""

    def predict(self, features: Features) -> Sequence[float]:
        return [5.0 for _ in features["PU"]]


def _is_taken(ride: Ride) -> bool:
    fields = {
        key: 0 if isinstance(value, float) and value == 0 and "Location" in key else value
        for key, value in msgspec.structs.asdict(ride).items()
    }
    try:
        decode_ride_event(json.dumps({"ride": fields, "ride_id": 1}).encode())
    except Rejected:
        return False
    return True


def test_account_adds_up_over_chunks() -> None:
    """Rows, reasons and errors of two chunks are those of one that holds both."""
    one = scorer()
    starts, miles = [1, 2, 13, 4], [1.0, 2.0, 3.0, -1.0]
    whole = Account.of(one.score(chunk(start=starts, miles=miles), "x-"))
    parts = [
        Account.of(one.score(chunk(start=starts[at], miles=miles[at]), "x-"))
        for at in (slice(0, 2), slice(2, 4))
    ]

    assert total(parts) == whole
    assert (whole.rows, whole.predicted, whole.rejections) == (4, 2, 2)
    assert whole.rejected == {"invalid_event": 1, "model_error": 1}
    # Ten minutes each; predicted 2 and 4.
    assert whole.mae == 7
    assert whole.rmse == pytest.approx(50**0.5)


def test_account_rides_that_training_drops_are_not_compared() -> None:
    """A taximeter that was left on says nothing about a prediction."""
    dropoff = pa.array([datetime(2021, 1, 2, 12), datetime(2021, 1, 1, 12, 0, 30)])

    account = Account.of(scorer().score(chunk(dropoff=dropoff), "x-"))

    assert (account.predicted, account.compared, account.rmse, account.mae) == (2, 0, None, None)


def test_features_of_columns_are_those_of_rides() -> None:
    """The stream's features and these are one definition."""
    seen: list[Features] = []

    class Recorder:
        def predict(self, features: Features) -> Sequence[float]:
            seen.append(features)
            return [1.0 for _ in features["PU"]]

    scorer(Recorder()).score(chunk(start=["7"], end=[8.0], miles=[50]), "x-")

    (features,) = seen
    expected = ride_features([Ride(7, 8, 50.0)])
    assert {name: list(values) for name, values in features.items()} == {
        name: list(values) for name, values in expected.items()
    }
