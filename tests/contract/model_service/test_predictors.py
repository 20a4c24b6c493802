"""Loading models that MLflow itself wrote."""

import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import sklearn
import yaml
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info, threadpool_limits

from model_service.models.digest import digest
from model_service.models.loading import load_model
from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import load_predictor
from model_service.models.sklearn_models import TRUSTED_TYPES
from model_service.records.features import ride_features, rows
from model_service.records.ride_events import Ride
from model_service.settings import Settings

RIDES = ride_features([Ride(pickup, 260 - pickup, 0.5 * pickup) for pickup in range(1, 60)])
ROWS = list(rows(RIDES))
MINUTES = [4.0 * float(ride["trip_distance"]) + 3 for ride in ROWS]


def fitted(estimator: Any, *, sparse: bool = True) -> Any:
    return make_pipeline(DictVectorizer(sparse=sparse), estimator).fit(ROWS, MINUTES)


def save(model: Any, folder: Path, **options: Any) -> Path:
    path = folder / "model"
    mlflow.sklearn.save_model(
        model, path, pip_requirements=[], skops_trusted_types=list(TRUSTED_TYPES), **options
    )
    return path


def edit(folder: Path, **changes: Any) -> None:
    """Change what MLmodel says of the scikit-learn flavour."""
    path = folder / "MLmodel"
    document = yaml.safe_load(path.read_text())
    document["flavors"]["sklearn"].update(changes)
    path.write_text(yaml.safe_dump(document))


@pytest.mark.parametrize(
    "model",
    [
        fitted(LinearRegression()),
        fitted(RandomForestRegressor(5, n_jobs=-1, random_state=1)),
        fitted(GradientBoostingRegressor(n_estimators=5, random_state=1)),
        fitted(HistGradientBoostingRegressor(max_iter=5, random_state=1), sparse=False),
    ],
    ids=["linear", "forest", "boosting", "hist-boosting"],
)
def test_load_skops_predicts_what_the_model_predicts(model: Any, tmp_path: Path) -> None:
    """The usual estimators load from skops without a word of trust in their own files."""
    predictor = load_predictor(save(model, tmp_path), trusted=False)

    assert list(predictor.predict(RIDES)) == pytest.approx(list(model.predict(ROWS)))


def test_load_forest_predicts_in_one_thread(tmp_path: Path) -> None:
    """A forest trained with all cores predicts with one."""
    model = fitted(RandomForestRegressor(2, n_jobs=-1))

    predictor: Any = load_predictor(save(model, tmp_path), trusted=False)

    assert predictor.estimator.get_params()["randomforestregressor__n_jobs"] == 1


def test_load_histogram_boosting_predicts_in_one_thread(tmp_path: Path) -> None:
    """It knows no n_jobs: OpenMP's threads are limited, wherever it was trained."""
    model = fitted(HistGradientBoostingRegressor(max_iter=2), sparse=False)
    with threadpool_limits(2, user_api="openmp"):
        load_predictor(save(model, tmp_path), trusted=False)

        threads = {
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"
        }

    assert threads == {1}


@pytest.mark.parametrize("serialization", ["pickle", "cloudpickle"])
def test_load_pickle_is_refused_unless_trusted(serialization: str, tmp_path: Path) -> None:
    """A format that runs code is refused with the three ways out, and loads when it is trusted."""
    model = fitted(LinearRegression())
    folder = save(model, tmp_path, serialization_format=serialization)

    with pytest.raises(ModelRefused, match="skops format, pin .* MODEL_SHA256, or .* ALLOW_PICKLE"):
        load_predictor(folder, trusted=False)

    predictor = load_predictor(folder, trusted=True)
    assert list(predictor.predict(RIDES)) == pytest.approx(list(model.predict(ROWS)))


def test_load_other_sklearn_minor_version_is_refused_by_name(tmp_path: Path) -> None:
    """A model of another scikit-learn is named as such, with both versions and what to do."""
    folder = save(fitted(LinearRegression()), tmp_path)
    edit(folder, sklearn_version="1.0.2")

    with pytest.raises(ModelRefused, match=r"trained with scikit-learn 1\.0\.2, .*train it again"):
        load_predictor(folder, trusted=False)


def test_load_other_sklearn_patch_version_is_fine(tmp_path: Path) -> None:
    """A model of the same minor version loads, whatever its patch version."""
    folder = save(fitted(LinearRegression()), tmp_path)
    edit(folder, sklearn_version=".".join(sklearn.__version__.split(".")[:2]) + ".77")

    assert load_predictor(folder, trusted=False).predict(RIDES)


def test_load_pickle_of_another_sklearn_is_refused_whatever_mlmodel_says(tmp_path: Path) -> None:
    """The version inside of a pickle counts, too."""
    folder = save(fitted(LinearRegression()), tmp_path, serialization_format="pickle")
    path = folder / "model.pkl"
    installed = sklearn.__version__.encode()
    older = b"1.0" + installed[3:]
    path.write_bytes(path.read_bytes().replace(installed, older))

    with pytest.raises(ModelRefused, match=f"trained with scikit-learn {older.decode()}"):
        load_predictor(folder, trusted=True)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ([1, 2], "holds a list, which does not predict"),
        ((DictVectorizer(), LinearRegression()), "holds a tuple, which does not predict"),
        (DictVectorizer(), "holds a DictVectorizer, which does not predict"),
    ],
)
def test_load_thing_that_does_not_predict_is_refused(
    thing: Any, message: str, tmp_path: Path
) -> None:
    """A file of something else than a model is named for what it is."""
    folder = save(fitted(LinearRegression()), tmp_path, serialization_format="pickle")
    (folder / "model.pkl").write_bytes(pickle.dumps(thing))

    with pytest.raises(ModelRefused, match=message):
        load_predictor(folder, trusted=True)


@pytest.mark.parametrize("content", [b"", b"garbage", b"cno_such_module\nthing\n."])
def test_load_broken_pickle_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    """A pickle that cannot be read is refused with the folder, whatever the reader raises."""
    folder = save(fitted(LinearRegression()), tmp_path, serialization_format="pickle")
    (folder / "model.pkl").write_bytes(content)

    with pytest.raises(ModelRefused, match="the model in .* cannot be loaded: ") as caught:
        load_predictor(folder, trusted=True)

    assert "\n" not in str(caught.value)


def test_load_model_with_another_separator_is_served(tmp_path: Path) -> None:
    """How a DictVectorizer spells its columns does not matter."""
    model = make_pipeline(DictVectorizer(separator="#"), LinearRegression()).fit(ROWS, MINUTES)

    assert load_predictor(save(model, tmp_path), trusted=False).predict(RIDES)


def test_load_large_mlmodel_is_refused(tmp_path: Path) -> None:
    """An MLmodel that is far too large is not read."""
    (tmp_path / "MLmodel").write_bytes(b"#" * 1_000_001)

    with pytest.raises(ModelRefused, match="larger than 1000000 bytes"):
        load_predictor(tmp_path, trusted=False)


@pytest.mark.parametrize("trust", ["ALLOW_PICKLE", "MODEL_SHA256"])
def test_bootstrap_trusts_a_pickle_that_is_pinned_or_allowed(trust: str, tmp_path: Path) -> None:
    """A pinned digest, or ALLOW_PICKLE, lets a pickle through."""
    folder = save(fitted(LinearRegression()), tmp_path, serialization_format="pickle")
    environ = {"ALLOW_PICKLE": "True", "MODEL_SHA256": digest(folder)}
    settings = {"MODEL_LOCATION": str(folder), "RUN_ID": "r", trust: environ[trust]}

    assert load_model(Settings.from_environ(settings)).version == "r"


def test_load_unknown_format_is_refused_by_name(tmp_path: Path) -> None:
    """A serialization format that is neither skops nor a pickle is named."""
    folder = save(fitted(LinearRegression()), tmp_path)
    edit(folder, serialization_format="joblib")

    with pytest.raises(ModelRefused, match="serialization_format 'joblib'"):
        load_predictor(folder, trusted=False)


def test_load_flavour_that_is_not_known_is_refused(tmp_path: Path) -> None:
    """A model without a flavour that can be loaded names those it has."""
    (tmp_path / "MLmodel").write_text("flavors: {spark: {}}")

    with pytest.raises(ModelRefused, match=r"flavours \['spark'\]"):
        load_predictor(tmp_path, trusted=True)


@pytest.fixture
def pyfunc_folder(tmp_path: Path) -> Path:
    """A model of no flavour but python_function."""
    folder = tmp_path / "model"

    class MilesTimesFive(PythonModel):
        # MLflow also accepts a model that takes no context.
        def predict(self, model_input: pd.DataFrame) -> pd.Series:  # type: ignore[override]
            return model_input["trip_distance"] * 5

    columns = [{"name": "trip_distance", "type": "double"}]
    signature = ModelSignature.from_dict({"inputs": json.dumps(columns)})
    return save_pyfunc(MilesTimesFive(), folder, signature=signature)


class ZoneMinutes(PythonModel):
    """A model that knows the minutes of one zone, as text or as an integer, and of all others."""

    def __init__(self, zone: Any) -> None:
        self.zone = zone

    def predict(self, model_input: pd.DataFrame) -> pd.Series:  # type: ignore[override]
        return (model_input["PU"] == self.zone) * 5.0 + 1


def save_pyfunc(model: Any, folder: Path, **options: Any) -> Path:
    mlflow.pyfunc.save_model(folder, python_model=model, pip_requirements=[], **options)
    return folder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("zone", "kind"),
    [(7, "integer"), (7, "long"), (7.0, "float"), (7.0, "double"), ("7", "string")],
)
def test_load_pyfunc_gives_zones_the_type_of_its_signature(
    zone: Any, kind: str, tmp_path: Path
) -> None:
    """MLflow refuses other types than the signature's, so the model takes what it does not."""
    miles = kind if kind == "float" else "double"
    columns = [{"name": "PU", "type": kind}, {"name": "trip_distance", "type": miles}]
    signature = ModelSignature.from_dict({"inputs": json.dumps(columns)})

    predictor = load_predictor(
        save_pyfunc(ZoneMinutes(zone), tmp_path / "model", signature=signature), trusted=True
    )

    assert list(predictor.predict(ride_features([Ride(7, 1, 1.0), Ride(8, 1, 1.0)]))) == [6, 1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("zone", "columns", "said"),
    [
        (7, {}, "uses PU_DO behind code that .* Log the model with an input signature"),
        ("007", {"PU": "string"}, "predicts the same in every zone of PU; expected values that di"),
        ("7.0", {"PU": "string"}, "predicts the same in every zone of PU; expected values that di"),
        (7, {"PU": "long", "PU_DO": "long"}, "PU_DO is long; expected pairs of zones as text"),
        (7, {"PU": "long", "hour": "long"}, "trained on 1 features, such as 'hour', which"),
        (7, {"PU": "boolean"}, "in which PU is boolean; expected zones as text"),
        (7, {"PU": "long", "trip_distance": "long"}, "cannot predict Ride.*trip_distance"),
        (7, {"trip_distance": "double"}, "cannot predict Ride.* KeyError: 'PU'"),
    ],
    ids=["none", "padded", "floats", "pairs", "another", "type", "miles", "missing"],
)
def test_load_pyfunc_whose_zones_are_not_shown_or_not_served_is_refused(
    zone: Any, columns: dict[str, str], said: str, tmp_path: Path
) -> None:
    """Such a model needs a signature, of columns and types that are made here."""
    inputs = json.dumps([{"name": name, "type": kind} for name, kind in columns.items()])
    signature = ModelSignature.from_dict({"inputs": inputs}) if columns else None
    folder = save_pyfunc(ZoneMinutes(zone), tmp_path / "model", signature=signature)

    with pytest.raises(ModelRefused, match=said):
        load_predictor(folder, trusted=True)


@pytest.mark.filterwarnings("ignore")
def test_load_pyfunc_predicts_where_mlflow_is_installed(pyfunc_folder: Path) -> None:
    """Any other flavour goes through MLflow, when it is trusted and MLflow is there."""
    predictor = load_predictor(pyfunc_folder, trusted=True)

    expected = [5 * float(ride["trip_distance"]) for ride in ROWS]
    assert list(predictor.predict(RIDES)) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore")
def test_load_pyfunc_without_mlflow_says_so(
    pyfunc_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an image without MLflow, the error says what to add."""
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(ModelRefused, match="needs mlflow, .*add mlflow to the image"):
        load_predictor(pyfunc_folder, trusted=True)


def test_predict_column_of_values_is_one_value_a_ride(tmp_path: Path) -> None:
    """A model that answers a column, as one trained on a table of targets does, is read flat."""
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit(
        ROWS, np.array(MINUTES).reshape(-1, 1)
    )

    values: Sequence[float] = load_predictor(save(model, tmp_path), trusted=False).predict(RIDES)

    assert len(values) == len(ROWS)
    assert isinstance(values[0], float)


def test_course_model_with_fewer_features_is_served(tmp_path: Path) -> None:
    """A model of the course's two features ignores the others."""
    two = [{name: ride[name] for name in ("PU_DO", "trip_distance")} for ride in ROWS]
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit(two, MINUTES)

    predictor = load_predictor(save(model, tmp_path), trusted=False)

    assert list(predictor.predict(RIDES)) == pytest.approx(list(model.predict(two)))
