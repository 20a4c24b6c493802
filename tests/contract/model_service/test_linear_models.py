"""A table of weights predicts what it says, or is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import Predictor, load_predictor
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride

WEIGHTS: dict[str, Any] = {
    "intercept": 5,
    "numbers": {"trip_distance": 2.5},
    "texts": {
        "PU_DO": {"weights": {"74_75": 1.0, "75_74": -1.0}, "default": 0.25},
        "DO": {"weights": {"75": 0.5, "075": 9.0, "elsewhere": 9.0, "1_2_3": 9.0}, "default": 0.0},
    },
}

NUMBERS = {"trip_distance": 2.7, "log_distance": 1 / 3, "no_distance": -0.3}


def loaded(folder: Path, text: str) -> Predictor:
    (folder / "weights.json").write_text(text)
    (folder / "MLmodel").write_text(
        yaml.safe_dump({"run_id": "r", "flavors": {"weights": {"data": "weights.json"}}})
    )
    return load_predictor(folder, trusted=False)


def test_weights_are_summed(tmp_path: Path) -> None:
    """The intercept, numbers times weights, and the weight of each text or its default."""
    model = loaded(tmp_path, json.dumps(WEIGHTS))

    predicted = model.predict(
        ride_features([Ride(74, 75, 2.0), Ride(75, 74, 0.0), Ride(1, 2, 4.0)])
    )

    assert list(predicted) == [5 + 5 + 1 + 0.5, 5 - 1, 5 + 10 + 0.25]


def test_ride_is_predicted_the_same_in_any_batch(tmp_path: Path) -> None:
    """To the bit: what comes again in half of its batch is the same event."""
    model = loaded(tmp_path, json.dumps({**WEIGHTS, "intercept": 0.1, "numbers": NUMBERS}))
    rides = [Ride(70 + place % 7, 70 + place % 11, place / 7) for place in range(200)]

    together = model.predict(ride_features(rides))

    assert list(together) == [model.predict(ride_features([ride]))[0] for ride in rides]


@pytest.mark.parametrize(
    "names",
    [[], ["PU"], ["DO"], ["PU_DO"], ["PU", "DO"], ["PU_DO", "PU"], ["DO", "PU_DO", "PU"]],
)
def test_zones_count_by_themselves_and_as_a_pair(tmp_path: Path, names: list[str]) -> None:
    """Known or not, a pair and either of its zones each add their own weight."""
    texts: dict[str, Any] = {
        "PU_DO": {"weights": {"1_2": 1.0, "3_4": 2.0, "1_2_3": 9.0}, "default": 4.0},
        "PU": {"weights": {"1": 8.0, "3": 16.0}, "default": 32.0},
        "DO": {"weights": {"2": 64.0}, "default": 128.0},
    }
    used = {name: texts[name] for name in names}
    model = loaded(tmp_path, json.dumps({"intercept": 0.5, "numbers": {}, "texts": used}))
    zones = [(1, 2), (3, 4), (3, 2), (1, 9), (7, 2), (7, 8)]

    predicted = model.predict(ride_features([Ride(*pair, 1.0) for pair in zones]))

    assert list(predicted) == [
        0.5
        + sum(
            used[name]["weights"].get(text, used[name]["default"])
            for name, text in (
                ("PU_DO", f"{pickup}_{dropoff}"),
                ("PU", str(pickup)),
                ("DO", str(dropoff)),
            )
            if name in used
        )
        for pickup, dropoff in zones
    ]


def test_model_without_features_is_its_intercept(tmp_path: Path) -> None:
    """As many values as rides, also where no ride matters."""
    model = loaded(tmp_path, json.dumps({"intercept": 7.0, "numbers": {}, "texts": {}}))

    assert list(model.predict(ride_features([Ride(1, 2, 3.0), Ride(4, 5, 6.0)]))) == [7.0, 7.0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"numbers": {"hour": 1.0}}, r"has weights of 'hour' \(float\), which .* makes PU_DO"),
        ({"numbers": {"PU": 1.0}}, r"has weights of 'PU' \(float\)"),
        ({"texts": {"trip_distance": {"weights": {}, "default": 1.0}}}, r"'trip_distance' \(str\)"),
        ({"intercept": None}, r"Expected `float`, got `null` - at `\$\.intercept`"),
        ({"texts": {"PU": {"weights": {"1": "x"}, "default": 0}}}, r"\$\.texts\[\.\.\.\]\.weights"),
        ({"texts": {"PU": {"weights": {}}}}, "missing required field `default`"),
        ({"bias": 7}, "unknown field `bias`"),
    ],
)
def test_weights_of_anything_else_are_refused(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    """The message names the feature or the field."""
    with pytest.raises(ModelRefused, match=why):
        loaded(tmp_path, json.dumps({**WEIGHTS, **changes}))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """Half a file is none."""
    with pytest.raises(ModelRefused, match="cannot be loaded"):
        loaded(tmp_path, json.dumps(WEIGHTS)[:-9])


def test_thousand_zones_count_as_few_do(tmp_path: Path) -> None:
    """Of more pairs than are kept ready, each is summed when it comes."""
    zones = {str(zone): zone / 7 for zone in range(1, 1001)}
    texts = {
        "PU": {"weights": zones, "default": 0.1},
        "DO": {"weights": zones, "default": 0.2},
        "PU_DO": {"weights": {"1_2": 0.3}, "default": 0.4},
    }
    model = loaded(tmp_path, json.dumps({"intercept": 0.5, "numbers": NUMBERS, "texts": texts}))
    rides = [Ride(1, 2, 0.0), Ride(1000, 3, 1.0), Ride(0, 1001, 2.0)]

    together = model.predict(ride_features(rides))

    assert together[0] == 0.5 + NUMBERS["no_distance"] + (0.3 + 1 / 7 + 2 / 7)
    assert list(together) == [model.predict(ride_features([ride]))[0] for ride in rides]


def test_weights_of_numbers_that_would_collide_have_no_place(tmp_path: Path) -> None:
    """Numbers of one hash, as many as a file holds, would take ever longer to be told apart."""
    weights = {str(n * (2**61 - 1)): 1.0 for n in range(2, 200)}
    texts = {"PU": {"weights": weights, "default": 0.0}}

    model = loaded(tmp_path, json.dumps({**WEIGHTS, "texts": texts}))

    assert not model._zone_sums._rows  # type: ignore[attr-defined] # it is a LinearModel


def test_no_rides_have_no_values(tmp_path: Path) -> None:
    """One value for each ride, also where there is none."""
    assert list(loaded(tmp_path, json.dumps(WEIGHTS)).predict(ride_features([]))) == []
