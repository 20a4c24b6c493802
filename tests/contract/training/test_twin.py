"""A model's twin predicts what the model predicts."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import mlflow
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Lasso, LinearRegression, Ridge, SGDRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from model_service.models.model_inputs import frame
from model_service.models.predictors import TWINS, Predictor
from model_service.models.sklearn_models import SklearnModel, predictor_of
from model_service.models.weights import LinearModel
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from training.examples import Examples
from training.kinds import Kind
from training.model import fit, inputs
from training.synthetic_rides import synthetic_rides
from training.training_errors import CannotConvert
from training.twin.convert import Twin, convert
from training.twin.flavor import add_twin, write_twin
from training.twin.proof import largest_difference

SYNTHETIC = synthetic_rides(300, seed=3)
RIDES = [synthetic.ride for synthetic in SYNTHETIC]
MINUTES = [synthetic.duration for synthetic in SYNTHETIC]
ZONES, MILES = [0, 1, 2], [3, 4, 5]

# Known zones and unknown ones, plain distances and what a broken taximeter says.
zones = st.sampled_from([ride.PULocationID for ride in RIDES[:40]]) | st.integers(-5, 10**12)
miles = st.floats(0, 45) | st.floats(0, 1e308) | st.sampled_from([r.trip_distance for r in RIDES])
rides = st.lists(st.builds(Ride, zones, zones, miles), min_size=1, max_size=30)


def rows_into(estimator: Any, *, sparse: bool = True) -> Any:
    pipeline = make_pipeline(DictVectorizer(sparse=sparse), estimator)
    return pipeline.fit(inputs(pipeline, RIDES), MINUTES)


def table_into(estimator: Any, encoder: Any, remainder: Any = "passthrough") -> Any:
    columns = ColumnTransformer([("zones", encoder, ZONES)], remainder=remainder)
    pipeline = make_pipeline(columns, estimator)
    return pipeline.fit(inputs(pipeline, RIDES), MINUTES)


def columns_into(estimator: Any, *transformers: Any) -> Any:
    pipeline = make_pipeline(ColumnTransformer(list(transformers)), estimator)
    return pipeline.fit(inputs(pipeline, RIDES), MINUTES)


def nested(estimator: Any) -> Any:
    pipeline = make_pipeline(make_pipeline(DictVectorizer()), estimator)
    return pipeline.fit(inputs(pipeline, RIDES), MINUTES)


def frame_into(estimator: Any, encoder: Any = None, *, integers: Sequence[str] = ()) -> Any:
    encoder = encoder or OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("zones", encoder, ["DO", "PU"])], remainder="passthrough")
    table = frame(["DO", "trip_distance", "PU"], ride_features(RIDES))
    table = table.astype(dict.fromkeys(integers, int))
    return make_pipeline(columns, estimator).fit(table, MINUTES)


def served(model: Any) -> SklearnModel:
    """A model as the function serves it where it has no twin."""
    return predictor_of(model, Path("model"), {})


def save(twin: Twin, folder: Path) -> list[Predictor]:
    """In each flavour that it has."""
    return [TWINS[name](folder, at) for name, at in write_twin(twin, folder).items()]


MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: rows_into(LinearRegression()),
    "ridge": lambda: rows_into(Ridge()),
    "ridge in a pipeline of pipelines": lambda: nested(Ridge()),
    "lasso": lambda: rows_into(Lasso(), sparse=False),
    "sgd": lambda: rows_into(SGDRegressor(random_state=0), sparse=False),
    "linear over encoded zones": lambda: table_into(LinearRegression(), TargetEncoder()),
    "linear over one-hot zones": lambda: table_into(
        LinearRegression(), OneHotEncoder(handle_unknown="ignore")
    ),
    "linear over encoded zones alone": lambda: table_into(
        LinearRegression(), TargetEncoder(), remainder="drop"
    ),
    "linear over zones that are one-hot twice": lambda: columns_into(
        LinearRegression(),
        ("once", OneHotEncoder(handle_unknown="ignore"), ZONES),
        ("twice", OneHotEncoder(handle_unknown="ignore"), ZONES),
    ),
    "linear over a slice and a mask": lambda: columns_into(
        LinearRegression(),
        ("zones", TargetEncoder(), slice(0, 3)),
        ("miles", "passthrough", [False, False, False, True, False, True]),
    ),
    "linear over a data frame": lambda: frame_into(LinearRegression()),
    "forest over a data frame": lambda: frame_into(RandomForestRegressor(7, random_state=0)),
    "linear over integers": lambda: frame_into(LinearRegression(), integers=["PU", "DO"]),
    "linear over integers and text": lambda: frame_into(LinearRegression(), integers=["PU"]),
    "linear over encoded integers": lambda: frame_into(
        LinearRegression(), TargetEncoder(), integers=["PU", "DO"]
    ),
    "forest over integers": lambda: frame_into(
        RandomForestRegressor(7, random_state=0), integers=["PU", "DO"]
    ),
    "forest over zones that are one-hot twice": lambda: columns_into(
        RandomForestRegressor(7, random_state=0),
        ("once", OneHotEncoder(handle_unknown="ignore"), ZONES),
        ("twice", OneHotEncoder(handle_unknown="ignore"), ZONES),
    ),
    "tree": lambda: rows_into(DecisionTreeRegressor(random_state=0)),
    "tree without a split": lambda: rows_into(DecisionTreeRegressor(min_samples_leaf=300)),
    "forest": lambda: rows_into(RandomForestRegressor(7, random_state=0)),
    "extra trees": lambda: rows_into(ExtraTreesRegressor(7, random_state=0)),
    "forest over one-hot zones": lambda: table_into(
        RandomForestRegressor(7, random_state=0), OneHotEncoder(handle_unknown="ignore")
    ),
    "boosting": lambda: rows_into(GradientBoostingRegressor(n_estimators=9, random_state=0)),
    "boosting from zero": lambda: rows_into(
        GradientBoostingRegressor(n_estimators=9, init="zero", random_state=0)
    ),
    "hist boosting": lambda: rows_into(
        HistGradientBoostingRegressor(max_iter=9, random_state=0), sparse=False
    ),
    **{f"training's {kind}": partial(fit, Examples("", RIDES, MINUTES), kind) for kind in Kind},
}


@pytest.fixture(params=MODELS, scope="module")
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model, and its twin in each flavour, as the function loads it."""
    model = MODELS[request.param]()
    return served(model), save(convert(model), tmp_path_factory.mktemp("twin"))


@given(batch=rides)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_twin_predicts_what_the_model_predicts(twins: Any, batch: list[Ride]) -> None:
    """Whatever the rides, the twin's prediction is the model's, but for rounding."""
    model, flavors = twins
    features = ride_features(batch)
    expected = pytest.approx(model.predict(features), rel=1e-9, abs=1e-9)

    for twin in flavors:
        assert list(twin.predict(features)) == expected


def encoder_that_knows(category: Any) -> OneHotEncoder:
    """One that knows a pickup zone that no ride has."""
    pairs = sorted({f"{ride.PULocationID}_{ride.DOLocationID}" for ride in RIDES})
    return OneHotEncoder(handle_unknown="ignore", categories=[pairs, [category], ["1"]])


def ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (lambda: rows_into(KNeighborsRegressor()), "KNeighborsRegressor is neither a linear"),
        (lambda: rows_into(DummyRegressor()), "DummyRegressor is neither"),
        (
            lambda: make_pipeline(DictVectorizer(), MaxAbsScaler(), Ridge()),
            "2 steps before its Ridge",
        ),
        (Ridge, "0 steps before its Ridge"),
        (
            lambda: make_pipeline(FunctionTransformer(np.sqrt), Ridge()),
            "FunctionTransformer is neither a DictVectorizer nor a ColumnTransformer",
        ),
        (
            lambda: table_into(Ridge(), ordinal()),
            "a step that is not known here: OrdinalEncoder",
        ),
        (
            lambda: table_into(Ridge(), OneHotEncoder(handle_unknown="infrequent_if_exist")),
            "a step that is not known here: OneHotEncoder",
        ),
        (
            lambda: table_into(Ridge(), encoder_that_knows(7.5)),
            "its PU may be 7.5, which is no text",
        ),
        (
            lambda: table_into(Ridge(), encoder_that_knows("\ud800")),
            "which is no text",
        ),
        (
            lambda: columns_into(
                Ridge(), ("miles", OneHotEncoder(handle_unknown="ignore"), [5])
            ),
            "its OneHotEncoder takes the number no_distance",
        ),
        (
            lambda: rows_into(
                HistGradientBoostingRegressor(max_iter=3, loss="poisson"), sparse=False
            ),
            "its loss 'poisson'",
        ),
        (
            lambda: rows_into(
                HistGradientBoostingRegressor(max_iter=9, categorical_features=list(range(200))),
                sparse=False,
            ),
            "it splits by categories of its own",
        ),
    ],
)  # fmt: skip
def test_model_without_a_twin_says_why(model: Callable[[], Any], why: str) -> None:
    """What cannot be converted is named, and nothing is guessed."""
    with pytest.raises(CannotConvert, match=why):
        convert(model())


def test_model_of_other_features_has_no_twin() -> None:
    """A feature that is not made here is named."""
    model = make_pipeline(DictVectorizer(), Ridge()).fit([{"hour": 1.0}, {"hour": 2.0}], [1, 2])

    with pytest.raises(
        CannotConvert,
        match=r"it takes 'hour', which .*; it makes PU_DO \(str\), PU",
    ):
        convert(model)


def test_proof_states_the_largest_difference(tmp_path: Path) -> None:
    """A twin that predicts the same is stated to, with the difference that rounding makes."""
    model = rows_into(Ridge())

    for twin in save(convert(model), tmp_path):
        assert 0 <= largest_difference(served(model), twin, RIDES) < 1e-10


def test_proof_takes_a_model_that_was_fitted_on_a_data_frame(tmp_path: Path) -> None:
    """Models from elsewhere are compared on what they were fitted on, too."""
    model = frame_into(Ridge())

    for twin in save(convert(model), tmp_path):
        assert 0 <= largest_difference(served(model), twin, RIDES) < 1e-10


def test_proof_refuses_the_twin_of_another_model(tmp_path: Path) -> None:
    """A twin that predicts something else is refused, with the ride, the value and the bound."""
    for twin in save(convert(rows_into(Ridge(alpha=9))), tmp_path):
        with pytest.raises(CannotConvert, match=r"predicts .* for Ride\(.* by .*0\.0001 is"):
            largest_difference(served(rows_into(Ridge())), twin, RIDES)


@pytest.mark.parametrize("rides", [RIDES, []])
def test_proof_refuses_a_twin_that_is_wrong_in_a_corner(rides: list[Ride], tmp_path: Path) -> None:
    """A twin is tried on unknown zones and odd distances, whatever rides are given."""
    model = rows_into(Ridge())
    twins = save(convert(model), tmp_path)
    reference = served(model)
    model[-1].coef_[-1] = np.nan

    for twin in twins:
        with pytest.raises(CannotConvert, match="differs by nan"):
            largest_difference(reference, twin, rides)


@pytest.mark.parametrize("feature", ["PU", "DO"])
def test_proof_refuses_a_twin_that_is_wrong_in_one_zone(feature: str) -> None:
    """The proof tries each TLC zone, also if no ride is in it."""
    model = rows_into(Ridge())
    weights = convert(model).weights
    assert weights is not None
    twin = copy.deepcopy(weights)
    twin.texts[feature].weights["130"] += 1

    assert largest_difference(served(model), LinearModel(weights), []) < 1e-10
    with pytest.raises(CannotConvert, match="differs by"):
        largest_difference(served(model), LinearModel(twin), [])


def test_model_with_weights_that_are_no_numbers_has_no_twin() -> None:
    """A fit that went wrong is not served."""
    model = rows_into(Ridge())
    model[-1].coef_[0] = np.inf

    with pytest.raises(CannotConvert, match="its weights are not all finite"):
        convert(model)


def test_twin_of_a_pickled_model_leaves_the_pickle_as_it_is(tmp_path: Path) -> None:
    """It is no archive to pack, also where it holds one and ends like one."""
    archive = BytesIO()
    with ZipFile(archive, "w") as written:
        written.writestr("zones", "1 to 265")
    pipeline = rows_into(LinearRegression())
    pipeline.map_of_zones = archive.getvalue()
    folder = tmp_path / "model"
    mlflow.sklearn.save_model(
        pipeline, folder, pip_requirements=[], serialization_format="cloudpickle"
    )
    pickled = (folder / "model.pkl").read_bytes()

    add_twin(folder, mlflow.models.Model.load(str(folder)), served(pipeline), RIDES[:9])

    assert (folder / "model.pkl").read_bytes() == pickled
