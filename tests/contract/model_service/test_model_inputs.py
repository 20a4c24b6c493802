"""A model is served with the types that it was trained on, or refused."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
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
from model_service.records.features import ride_features, rows, table
from model_service.records.ride_events import Ride
from training.synthetic_rides import synthetic_rides

SYNTHETIC = synthetic_rides(2000, seed=5)
RIDES = [synthetic.ride for synthetic in SYNTHETIC]
MINUTES = [synthetic.duration for synthetic in SYNTHETIC]
FEATURES = ride_features(RIDES)
ROWS = list(rows(FEATURES))
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

    served = predictor_of(model, PATH, {}).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_model_of_zones_in_text_predicts_as_in_training(make: Callable[[], Any]) -> None:
    """A model that was fitted on zones in text is served text."""
    training = TEXT.drop(columns="PU_DO")
    model = make().fit(training, MINUTES)

    served = predictor_of(model, PATH, {}).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(training).tolist(), rel=1e-9)


def test_ride_in_an_unknown_zone_changes_no_other_rides_prediction() -> None:
    """Integers of any size are unknown zones, also in a batch with known ones."""
    model = predictor_of(over(one_hot()).fit(INTEGERS, MINUTES), PATH, {})
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


T3 = TEXT.drop(columns="PU_DO")
FLOATS = INTEGERS.astype(float)
OBJECTS = INTEGERS.astype(dict.fromkeys(ZONES, object))
PADDED = T3.assign(**{zone: T3[zone].str.zfill(3) for zone in ZONES})
CODES = PAIRS.assign(PU_DO=pd.factorize(PAIRS["PU_DO"])[0].astype(float))
CATEGORIES = [every.astype(dict.fromkeys(ZONES, "category")) for every in (INTEGERS, T3)]
TABLE = table(FEATURES)
TABLE[:, [1, 2]] = TABLE[:, [1, 2]].astype(int)


def missing(training: pd.DataFrame) -> pd.DataFrame:
    """The same rides, some without a zone."""
    return training.assign(PU=training["PU"].where(training.index % 7 > 0))


def in_code(function: Callable[[Any], Any], *steps: Any) -> Any:
    """A pipeline whose first step is code that scikit-learn does not know."""
    return make_pipeline(FunctionTransformer(function), *steps)


def pairs(training: pd.DataFrame) -> pd.DataFrame:
    """Zone pairs, made of zones as they are."""
    made = training["PU"].astype(str) + "_" + training["DO"].astype(str)
    return training[["trip_distance"]].assign(PU_DO=made)


class LookUp(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encodes zones by what it was fitted on, and records none of it as scikit-learn does."""

    def fit(self, training: pd.DataFrame, minutes: Any) -> "LookUp":
        columns = training.columns
        self.known = {name: pd.Series(minutes).groupby(training[name].to_numpy()).mean().to_dict()
                      for name in columns}  # fmt: skip
        return self

    def transform(self, training: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({name: training[name].map(self.known[name]).fillna(15.0).astype(float)
                             for name in self.known})  # fmt: skip


class CategoriesInLists(LookUp):
    """Has an attribute that scikit-learn's encoders have, with something else in it."""

    def fit(self, training: pd.DataFrame, minutes: Any) -> "CategoriesInLists":
        super().fit(training, minutes)
        self.categories_ = [list(self.known[name]) for name in training.columns]
        return self


class HoldsSeries(Ridge):  # type: ignore[misc]
    """Keeps some of its training data."""

    def __init__(self, series: Any = None) -> None:
        super().__init__()
        self.series = series


def fill(value: Any) -> Any:
    return over(make_pipeline(SimpleImputer(strategy="constant", fill_value=value), one_hot()))


def indicated() -> Any:
    return over(
        make_pipeline(SimpleImputer(strategy="most_frequent", add_indicator=True), one_hot())
    )


def branches(function: Callable[[Any], Any], columns: Sequence[str] = ZONES) -> Any:
    """One-hot zones, and zones that are hidden in code."""
    hidden = make_pipeline(FunctionTransformer(function), one_hot())
    known = [("zones", one_hot(), ZONES), ("hidden", hidden, list(columns))]
    return make_pipeline(ColumnTransformer(known, remainder="passthrough"), Ridge())


def forest() -> Any:
    return RandomForestRegressor(5, random_state=0)


# Models of zones whose types their encoders show, and their training data.
SHOWN: dict[str, tuple[Callable[[], Any], Any]] = {
    "objects that are integers": (lambda: over(one_hot()), OBJECTS),
    "ordinal objects": (
        lambda: over(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
        OBJECTS,
    ),
    "target of objects": (lambda: over(TargetEncoder()), OBJECTS),
    "objects that are floats": (lambda: over(one_hot()), FLOATS.astype({"PU": object})),
    "a series of objects": (
        lambda: over(one_hot()).set_params(ridge=HoldsSeries(OBJECTS["PU"])), OBJECTS
    ),
    "short integers": (lambda: over(one_hot()), INTEGERS.astype(dict.fromkeys(ZONES, "int16"))),
    "filled floats": (lambda: fill(-1), missing(INTEGERS)),
    "missing text": (lambda: over(one_hot(), LinearRegression()), missing(T3.astype(object))),
    "filled text": (lambda: fill("missing"), missing(T3.astype(object))),
    "indicated text": (indicated, missing(T3.astype(object))),
    "indicated floats": (indicated, missing(INTEGERS)),
    "a branch of text made of floats": (
        lambda: branches(lambda zones: zones.astype(str)), FLOATS
    ),
    "a branch of pairs made of floats": (
        lambda: branches(lambda rides: pairs(rides)[["PU_DO"]], [*ZONES, "trip_distance"]), FLOATS
    ),
    **{
        f"categories of {kind}": (lambda: over(one_hot()), categories)
        for kind, categories in zip(("integers", "text"), CATEGORIES, strict=True)
    },
    **{
        f"categories of {kind} in boosting": (
            lambda: boosting(categorical_features="from_dtype"), categories
        )
        for kind, categories in zip(("integers", "text"), CATEGORIES, strict=True)
    },
    "pairs as text, zones as integers": (
        lambda: over(one_hot(), columns=[*ZONES, "PU_DO"]), PAIRS
    ),
    "pairs and one zone as text": (
        lambda: over(one_hot(), columns=[*ZONES, "PU_DO"]), PAIRS.assign(DO=TEXT["DO"])
    ),
    "a table with integers": (lambda: over(one_hot(), columns=[0, 1, 2]), TABLE),
    "rows of integers": (
        lambda: make_pipeline(DictVectorizer(), Ridge()), PAIRS.to_dict("records")
    ),
    "rows of floats": (
        lambda: make_pipeline(DictVectorizer(), Ridge()), FLOATS.to_dict("records")
    ),
    "rows of text": (lambda: make_pipeline(DictVectorizer(), Ridge()), TEXT.to_dict("records")),
}  # fmt: skip


@pytest.mark.parametrize(("make", "training"), SHOWN.values(), ids=SHOWN)
def test_model_whose_encoders_show_their_types_predicts_as_in_training(
    make: Callable[[], Any], training: Any
) -> None:
    """The values that an encoder knows show the type and the dtype of its column."""
    model = make().fit(training, MINUTES)

    served = predictor_of(model, PATH, {}).predict(FEATURES)

    expected = model.predict(training)
    is_frame = isinstance(training, pd.DataFrame)
    are_known = training.notna().all(axis=1) if is_frame else [True] * len(RIDES)
    assert np.asarray(served)[are_known] == pytest.approx(expected[are_known], rel=1e-9)


# Models that show no type of their zones, and their training data.
HIDDEN: dict[str, tuple[Callable[[], Any], Any]] = {
    "integers in code": (
        lambda: in_code(lambda rides: rides.astype(float), over(one_hot())), INTEGERS
    ),
    "text in code": (lambda: in_code(texts, over(one_hot())), INTEGERS),
    "pairs in code": (lambda: in_code(pairs, over(one_hot(), columns=["PU_DO"])), FLOATS),
    "pairs as rows": (
        lambda: in_code(lambda rides: pairs(rides).to_dict("records"), DictVectorizer(), Ridge()),
        FLOATS,
    ),
    "array of text": (
        lambda: in_code(lambda rides: np.asarray(rides[ZONES]).astype(str), one_hot(), Ridge()),
        FLOATS,
    ),
    "floats and integers as text": (
        lambda: in_code(lambda rides: rides[ZONES].astype(str), one_hot(), Ridge()),
        INTEGERS.astype({"PU": float}),
    ),
    "rows": (
        lambda: in_code(lambda rides: rides.to_dict("records"), DictVectorizer(), Ridge()), T3
    ),
    "zones that matter far away": (
        lambda: in_code(
            lambda rides: rides[ZONES].where(rides["trip_distance"] > 8, 0), one_hot(), forest()
        ),
        INTEGERS,
    ),
    "another encoder": (lambda: make_pipeline(LookUp(), Ridge()), T3),
    "an encoder of objects": (lambda: make_pipeline(LookUp(), Ridge()), OBJECTS),
    "categories in lists": (lambda: make_pipeline(CategoriesInLists(), Ridge()), T3),
    "same": (lambda: in_code(same, over(one_hot())), INTEGERS),
    "words": (
        lambda: make_pipeline(
            ColumnTransformer([("words", CountVectorizer(token_pattern=".+"), "PU_DO")]), Ridge()
        ),
        TEXT,
    ),
    "hashes": (
        lambda: make_pipeline(ColumnTransformer([("w", HashingVectorizer(), "PU_DO")]), Ridge()),
        TEXT,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("make", "training"), HIDDEN.values(), ids=HIDDEN)
def test_model_that_hides_its_zones_needs_a_signature(
    make: Callable[[], Any], training: pd.DataFrame
) -> None:
    """Without a signature such a model is refused; with one, it predicts as in training."""
    model = make().fit(training, MINUTES)
    signature = json.loads(infer_signature(training).to_dict()["inputs"])

    with pytest.raises(
        ModelRefused, match="uses .* behind code that .* Log the model with an input"
    ):
        predictor_of(model, PATH, {})
    served = predictor_of(model, PATH, {column["name"]: column["type"] for column in signature})

    expected = model.predict(training).tolist()
    assert list(served.predict(FEATURES)) == pytest.approx(expected, rel=1e-9)


def with_zones(zones: Any) -> pd.DataFrame:
    return TEXT.assign(PU=zones)


# Models, their training data, and why they are refused.
REFUSED: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "text of floats": (
        lambda: over(one_hot(), columns=["PU"]),
        with_zones(TEXT["PU"] + ".0")[["PU", "trip_distance"]],
        r"was trained on PU='\d+\.0'; expected zones as text such as '130', as integers or as fl",
    ),
    "text of integers and of floats": (
        lambda: over(one_hot(), columns=["PU"]),
        with_zones(TEXT["PU"].where(TEXT.index % 2 > 0, TEXT["PU"] + ".0"))[["PU"]],
        r"was trained on PU='\d+\.0'; expected zones as text",
    ),
    "padded zones": (lambda: over(one_hot()), PADDED, "was trained on PU='0[0-9]+'; expected"),
    "padded zones in rows": (
        lambda: make_pipeline(DictVectorizer(), Ridge()),
        PADDED.to_dict("records"),
        "was trained on DO='0[0-9]+'; expected zones as text",
    ),
    "padded pairs": (
        lambda: over(one_hot(), columns=["PU_DO"]),
        TEXT.assign(PU_DO=PADDED["PU"] + "_" + PADDED["DO"])[["PU_DO"]],
        "was trained on PU_DO='0[0-9_]+'; expected pairs",
    ),
    "booleans": (
        lambda: over(one_hot(), columns=["PU"]),
        with_zones([True, False] * 1000)[["PU", "trip_distance"]],
        "was trained on PU=False; expected zones",
    ),
    "halves": (
        lambda: over(one_hot(), columns=["PU"]),
        INTEGERS.assign(PU=INTEGERS["PU"] + 0.5),
        r"was trained on PU=\d+\.5; expected zones",
    ),
    "encoded codes of pairs": (
        lambda: over(OrdinalEncoder(), columns=["PU_DO"]),
        PAIRS.assign(PU_DO=1000 * PAIRS["PU"] + PAIRS["DO"]),
        "was trained on PU_DO=[0-9]+; expected pairs of zones as text such as '130_205'",
    ),
    "codes of pairs": (boosting, CODES, "uses PU_DO as a number, .*; expected a signature or an"),
    "codes of pairs in a forest": (
        forest, PAIRS.assign(PU_DO=1000 * PAIRS["PU"] + PAIRS["DO"]), "uses PU_DO as a number"
    ),
    "codes of pairs in rows": (
        lambda: make_pipeline(DictVectorizer(), Ridge()),
        CODES.to_dict("records"),
        "was trained on PU_DO=0; expected pairs of zones as text",
    ),
    "other pairs": (
        lambda: over(one_hot(), columns=["PU_DO"]),
        TEXT.assign(PU_DO=TEXT["PU_DO"].str.replace("_", "-")),
        "was trained on PU_DO='[0-9]+-[0-9]+'; expected pairs of zones as text",
    ),
    "names of zones": (
        lambda: over(one_hot(), columns=["PU"]), with_zones(["JFK", "Astoria"] * 1000),
        "was trained on PU='Astoria'; expected zones as text",
    ),
    "distances in text": (
        lambda: over(OrdinalEncoder(), columns=["trip_distance"]),
        INTEGERS.assign(trip_distance=INTEGERS["trip_distance"].astype(str)),
        r"was trained on trip_distance='0\.\d+'; expected numbers",
    ),
    "hashed rows": (
        lambda: make_pipeline(FeatureHasher(), Ridge()), ROWS, "uses PU_DO behind code that may"
    ),
    "another feature": (
        lambda: GridSearchCV(make_pipeline(DictVectorizer(), Ridge()), {"ridge__alpha": [1]}, cv=2),
        [{"hour": 1.0}] * 2000,
        "was trained on 1 features, such as 'hour', which",
    ),
    "another feature in a pipeline of pipelines": (
        lambda: make_pipeline(make_pipeline(DictVectorizer()), Ridge()),
        [{"trip_miles": 1.0}] * 2000,
        "was trained on 1 features, such as 'trip_miles', which",
    ),
    "distances in text in rows": (
        lambda: make_pipeline(DictVectorizer(), Ridge()),
        [{"trip_distance": "3"}] * 2000,
        "was trained on trip_distance='3'; expected numbers",
    ),
    "text and integers in rows": (
        lambda: make_pipeline(DictVectorizer(), Ridge()),
        [{"PU": "130"}, {"PU": 130}] * 1000,
        "was trained on PU='130'; expected zones as text such as '130', as integers or as floats, ",
    ),
    "a sample zone that raises": (
        lambda: over(OneHotEncoder(), columns=["PU"]),
        TEXT.assign(PU="1")[["PU", "trip_distance"]],
        "cannot predict Ride.* ValueError: Found unknown categories .*Log the model with",
    ),
    "no finite prediction": (
        lambda: TransformedTargetRegressor(
            over(one_hot()), func=same, inverse_func=np.log, check_inverse=False
        ),
        INTEGERS,
        "expected a finite number for each",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(("make", "training", "said"), REFUSED.values(), ids=REFUSED)
def test_model_that_would_be_served_other_values_is_refused(
    make: Callable[[], Any], training: Any, said: str
) -> None:
    """A model of values that no ride has is refused, with what is wrong and what to do."""
    targets = np.negative(MINUTES) if said.startswith("expected a finite") else MINUTES

    with pytest.raises(ModelRefused, match=said) as refusal:
        predictor_of(make().fit(training, targets), PATH, {})

    assert re.search("Train|Log the model|records/features.py makes", str(refusal.value))


@pytest.mark.parametrize(
    ("make", "training", "types", "said"),
    [
        (
            lambda: over(one_hot()), T3, {"PU": "long"},
            "a signature in which PU is long; expected zones as text",
        ),
        (
            lambda: over(one_hot()), INTEGERS, {"PU": "string"},
            "a signature in which PU is string; expected zones as text",
        ),
        (forest, CODES, {"PU_DO": "double"}, "in which PU_DO is double; expected pairs of"),
        (forest, INTEGERS, {"PU": "datetime"}, "in which PU is datetime; expected zones as text"),
        (forest, INTEGERS, {"trip_distance": "string"}, "distance is string; expected numbers, as"),
        (
            lambda: make_pipeline(LookUp(), Ridge()), T3.assign(PU=T3["PU"] + ".0"),
            {"PU": "string", "DO": "string", "trip_distance": "double"},
            "predicts the same in every zone of PU; expected values that differ. Train it on zones",
        ),
        (
            lambda: make_pipeline(
                ColumnTransformer([("words", CountVectorizer(), "PU")]), Ridge()
            ),
            PADDED, {"PU": "string"},
            "knows the zone or pair of zones '0[0-9]+'; expected zones such as '130'",
        ),
    ],
    ids=["numbers", "text", "codes", "times", "distances", "text of floats", "padded text"],
)  # fmt: skip
def test_model_with_a_signature_of_other_zones_is_refused(
    make: Callable[[], Any], training: pd.DataFrame, types: dict[str, str], said: str
) -> None:
    """A signature that contradicts the model, or a model that knows none of its zones, is wrong."""
    with pytest.raises(ModelRefused, match=said):
        predictor_of(make().fit(training, MINUTES), PATH, types)


@pytest.mark.filterwarnings("ignore")
def test_signature_of_a_scikit_learn_model_is_read_from_its_folder(tmp_path: Path) -> None:
    """MLflow's input signature also holds for the scikit-learn flavour."""
    model = in_code(texts, over(one_hot())).fit(FLOATS, MINUTES)
    mlflow.sklearn.save_model(
        model, tmp_path / "model", pip_requirements=[], signature=infer_signature(FLOATS),
        serialization_format="cloudpickle",
    )  # fmt: skip

    served = load_predictor(tmp_path / "model", trusted=True).predict(FEATURES)

    assert list(served) == pytest.approx(model.predict(FLOATS).tolist(), rel=1e-9)
