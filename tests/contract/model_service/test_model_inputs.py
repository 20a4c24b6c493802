"""A scikit-learn model is served with the types that it was trained on, or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from model_service.models.model_errors import ModelRefused
from model_service.models.model_inputs import frame
from model_service.models.predictors import load_predictor
from model_service.models.sklearn_models import TRUSTED_TYPES, predictor_of
from model_service.records.features import ride_features, rows, table, with_integers
from model_service.records.ride_events import Ride
from training.synthetic import synthetic_rides

SYNTHETIC = synthetic_rides(2000, seed=5)
RIDES = [synthetic.ride for synthetic in SYNTHETIC]
MINUTES = [synthetic.duration for synthetic in SYNTHETIC]
FEATURES = ride_features(RIDES)
ZONES = ["PU", "DO"]

TEXT = frame([*ZONES, "PU_DO", "trip_distance"], FEATURES)
PAIRS = TEXT.assign(**{zone: TEXT[zone].astype(int) for zone in ZONES})
INTEGERS = PAIRS.drop(columns="PU_DO")
PATH = Path("model.pkl")


def one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore")


def over(encoder: Any, estimator: Any = None, columns: Any = ZONES) -> Any:
    """A pipeline that encodes columns and leaves the others as they are."""
    transformer = ColumnTransformer([("zones", encoder, columns)], remainder="passthrough")
    return make_pipeline(transformer, Ridge() if estimator is None else estimator)


def boosting(**options: Any) -> Any:
    return HistGradientBoostingRegressor(max_iter=9, **options)


def texts(table: Any) -> Any:
    return table.astype(dict.fromkeys(ZONES, str))


def same(table: Any) -> Any:
    return table


# Of models over frames whose zones are all text, or all integers.
MODELS: dict[str, Callable[[], Any]] = {
    "one-hot": lambda: over(one_hot()),
    "one-hot that raises on unknown zones": lambda: over(OneHotEncoder()),
    "ordinal": lambda: over(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        RandomForestRegressor(5, random_state=0),
    ),
    "target": lambda: over(TargetEncoder()),
    "one column": lambda: over(one_hot(), columns=["PU"]),
    "imputed": lambda: over(make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot())),
    "nested": lambda: make_pipeline(make_pipeline(over(one_hot())[0]), Ridge()),
    "union": lambda: over(make_union(one_hot(), TargetEncoder())),
    "search": lambda: GridSearchCV(over(one_hot()), {"ridge__alpha": [1, 2]}, cv=2),
    "log of the target": lambda: TransformedTargetRegressor(over(one_hot())),
    "votes": lambda: VotingRegressor([("a", over(one_hot())), ("b", over(TargetEncoder()))]),
    "categories of boosting": lambda: boosting(categorical_features=ZONES),
    "integers in the pipeline": lambda: make_pipeline(
        FunctionTransformer(lambda table: table.astype(dict.fromkeys(ZONES, int))), over(one_hot())
    ),
    "ordinal before categories of boosting": lambda: over(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        boosting(categorical_features=[0, 1]),
    ),
    "no zones": lambda: make_pipeline(
        ColumnTransformer([("miles", "passthrough", ["trip_distance"])]), Ridge()
    ),
}  # fmt: skip

NUMERIC: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestRegressor(5, random_state=0),
    "boosting": boosting,
    "bag": lambda: BaggingRegressor(random_state=0),
    "scaled": lambda: make_pipeline(StandardScaler(), Ridge()),
    "bins": lambda: over(KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf")),
    "passed through": lambda: over("passthrough"),
}


@pytest.mark.parametrize("training", [INTEGERS, INTEGERS.astype(float)], ids=["int", "float"])
@pytest.mark.parametrize("make", [*MODELS.values(), *NUMERIC.values()], ids=[*MODELS, *NUMERIC])
def test_model_of_integer_zones_predicts_as_in_training(
    make: Callable[[], Any], training: pd.DataFrame
) -> None:
    """A model that was fitted on zones as numbers knows the zones that it is served."""
    model = make().fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_model_of_zones_in_text_predicts_as_in_training(make: Callable[[], Any]) -> None:
    """A model that was fitted on zones in text is served text."""
    training = TEXT.drop(columns="PU_DO")
    model = make().fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


@pytest.mark.parametrize("training", [INTEGERS, TEXT], ids=["integers", "text"])
def test_model_that_makes_its_own_text_of_zones_is_served(training: pd.DataFrame) -> None:
    """A pipeline that converts zones predicts the same with text as with integers."""
    training = training[[*ZONES, "trip_distance"]]
    model = make_pipeline(FunctionTransformer(texts), over(one_hot())).fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


@pytest.mark.parametrize("categories", [INTEGERS, TEXT], ids=["integers", "text"])
def test_model_of_pandas_categories_predicts_as_in_training(categories: pd.DataFrame) -> None:
    """Zones that were pandas categories are served with the type of the categories."""
    training = categories[[*ZONES, "trip_distance"]].astype(dict.fromkeys(ZONES, "category"))
    for model in (boosting(categorical_features="from_dtype"), over(one_hot())):
        model.fit(training, MINUTES)

        served = predictor_of(model, PATH).predict(FEATURES)

        assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


@pytest.mark.parametrize("training", [PAIRS, PAIRS.assign(DO=TEXT["DO"])], ids=["both", "one"])
def test_model_of_integers_and_text_gets_each_as_it_was(training: pd.DataFrame) -> None:
    """A model may take pairs of zones as text and single zones as integers."""
    model = over(one_hot(), columns=[*ZONES, "PU_DO"]).fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


def test_model_of_a_table_with_integers_predicts_as_in_training() -> None:
    """A model of columns without names is served integers where it was fitted on integers."""
    training = table(with_integers(FEATURES, ZONES))
    model = over(one_hot(), columns=[0, 1, 2]).fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


def test_model_of_rows_with_integers_predicts_as_in_training() -> None:
    """A DictVectorizer that was fitted on integers takes a zone for a number, and is served one."""
    training = list(rows(with_integers(FEATURES, ZONES)))
    model = make_pipeline(DictVectorizer(), Ridge()).fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


def test_ride_in_an_unknown_zone_changes_no_other_rides_prediction() -> None:
    """Integers of any size are unknown zones, also in a batch with known ones."""
    model = predictor_of(over(one_hot()).fit(INTEGERS, MINUTES), PATH)
    alone, unknown = model.predict(FEATURES), ride_features([Ride(-5, -5, 1.0)])

    for zone in (-1, 266, 2**63 - 1, 2**63, 2**64, 10**30):
        batch = model.predict(ride_features([*RIDES, Ride(zone, zone, 1.0)]))
        assert list(batch[:-1]) == pytest.approx(alone, rel=1e-9)
        assert batch[-1:] == pytest.approx(model.predict(unknown), rel=1e-9)


def test_model_of_integer_zones_is_served_from_skops(tmp_path: Path) -> None:
    """A skops file keeps the types that a model was fitted on."""
    model = over(one_hot()).fit(INTEGERS, MINUTES)
    folder = tmp_path / "model"
    mlflow.sklearn.save_model(
        model, folder, pip_requirements=[], skops_trusted_types=list(TRUSTED_TYPES)
    )

    served = load_predictor(folder, trusted=False).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(INTEGERS).tolist(), rel=1e-9)


def with_zones(zones: Any) -> pd.DataFrame:
    return TEXT.assign(PU=zones)


@pytest.mark.parametrize(
    ("model", "training", "said"),
    [
        (
            lambda: over(one_hot(), columns=["PU"]),
            with_zones(TEXT["PU"] + ".0")[[*ZONES, "trip_distance"]],
            r"was trained on PU='\d+\.0'; expected zones, all in text such as '130' or all int",
        ),
        (
            lambda: over(one_hot(), columns=["PU"]),
            with_zones([True, False] * 1000)[["PU", "trip_distance"]],
            "was trained on PU=False; expected zones",
        ),
        (
            lambda: over(one_hot(), columns=["PU"]),
            INTEGERS.assign(PU=INTEGERS["PU"] + 0.5),
            r"was trained on PU=\d+\.5; expected zones",
        ),
        (
            lambda: over(OrdinalEncoder(), columns=["PU_DO"]),
            PAIRS.assign(PU_DO=1000 * PAIRS["PU"] + PAIRS["DO"]),
            "was trained on PU_DO=[0-9]+; expected pairs of zones in text, such as '130_205'",
        ),
        (
            lambda: over(one_hot(), columns=["PU_DO"]),
            TEXT.assign(PU_DO=TEXT["PU_DO"].str.replace("_", "-")),
            "was trained on PU_DO='[0-9]+-[0-9]+'; expected pairs of zones in text",
        ),
        (
            lambda: over(OrdinalEncoder(), columns=["trip_distance"]),
            INTEGERS.assign(trip_distance=INTEGERS["trip_distance"].astype(str)),
            r"was trained on trip_distance='0\.\d+'; expected numbers",
        ),
        (
            lambda: make_pipeline(FunctionTransformer(same), over(one_hot())),
            INTEGERS,
            "PU and DO as text give other predictions than as integers; expected the same",
        ),
        (
            lambda: make_pipeline(FunctionTransformer(same), over(one_hot())),
            INTEGERS.assign(**{zone: INTEGERS[zone] + 1000 for zone in ZONES}),
            "PU and DO as text give other predictions than as integers; expected the same",
        ),
        (
            lambda: make_pipeline(FunctionTransformer(texts), over(one_hot())),
            INTEGERS.astype(float),
            r"other zones or types: it predicts \d+\.\d+ in each of 265 zones; expected values",
        ),
        (
            lambda: make_pipeline(FeatureHasher(), Ridge()),
            list(rows(FEATURES)),
            "PU and DO as text give other predictions than as integers; expected the same",
        ),
        (
            lambda: GridSearchCV(
                make_pipeline(DictVectorizer(), Ridge()), {"ridge__alpha": [1]}, cv=2
            ),
            [{"hour": 1.0}] * 2000,
            "was trained on 1 features, such as 'hour', which",
        ),
        (
            lambda: make_pipeline(DictVectorizer(), Ridge()),
            [{"trip_distance": "3"}] * 2000,
            "was trained on trip_distance='3'; expected numbers",
        ),
        (
            lambda: make_pipeline(DictVectorizer(), Ridge()),
            [{"PU": "130"}, {"PU": 130}] * 1000,
            "was trained on PU=0.0; expected zones, all in text such as '130' or all integers",
        ),
        (
            lambda: make_pipeline(
                FunctionTransformer(lambda table: table[["PU_DO"]]),
                OneHotEncoder(categories=[["0_0", *sorted(set(TEXT["PU_DO"]))]]),
                Ridge(),
            ),
            TEXT,
            "the model predicts no ride: ValueError: Found unknown categories",
        ),
    ],
)  # fmt: skip
def test_model_that_would_be_served_other_values_is_refused(
    model: Callable[[], Any], training: Any, said: str
) -> None:
    """A model is refused if no ride has its values, or if nothing shows its types."""
    with pytest.raises(ModelRefused, match=said):
        predictor_of(model().fit(training, MINUTES), PATH)


def test_linear_regression_over_missing_zones_is_served() -> None:
    """Missing zones in the training data do not hide the type of the others."""
    training = TEXT[[*ZONES, "trip_distance"]].copy()
    training.loc[::7, "PU"] = None
    model = over(one_hot(), LinearRegression()).fit(training, MINUTES)

    served = predictor_of(model, PATH).predict(FEATURES)

    known = training["PU"].notna()
    expected = model.predict(training[known])
    assert pd.Series(served)[known].tolist() == pytest.approx(expected.tolist(), rel=1e-9)
