"""The models: a ridge regression over one-hot zones, a forest, boosted trees over encoded zones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import TargetEncoder

from model_service.records.features import FEATURES, ride_features, rows, table
from model_service.records.ride_events import Ride
from training.examples import Examples
from training.kinds import Kind


@dataclass(frozen=True, slots=True)
class Scores:
    """How far predictions are from labels; `rmse` and `mae` in the target's unit."""

    rmse: float
    mae: float
    r2: float


def fit(examples: Examples, kind: Kind = Kind.RIDGE) -> Pipeline:
    """A pipeline that takes what `inputs` makes of rides, and predicts the examples' labels."""
    parameters = dict(kind.parameters)
    match kind:
        case Kind.RIDGE:
            pipeline = make_pipeline(DictVectorizer(), Ridge(**parameters))
        case Kind.FOREST:
            forest = RandomForestRegressor(**parameters, n_jobs=-1)
            pipeline = make_pipeline(_encoded_zones(), forest)
        case Kind.BOOSTING:
            boosting = HistGradientBoostingRegressor(**parameters)
            pipeline = make_pipeline(_encoded_zones(), boosting)
    return pipeline.fit(inputs(pipeline, examples.rides), examples.labels)


def predict(pipeline: Pipeline, rides: Sequence[Ride]) -> NDArray[np.float64]:
    """What the pipeline predicts for each ride, in the target's unit."""
    return np.asarray(pipeline.predict(inputs(pipeline, rides)), dtype=np.float64)


def score(pipeline: Pipeline, examples: Examples) -> Scores:
    """Compare what the pipeline predicts for the examples with their labels."""
    predictions = predict(pipeline, examples.rides)
    return Scores(
        rmse=float(root_mean_squared_error(examples.labels, predictions)),
        mae=float(mean_absolute_error(examples.labels, predictions)),
        r2=float(r2_score(examples.labels, predictions)),
    )


def inputs(pipeline: Pipeline, rides: Sequence[Ride]) -> Any:
    """The features of rides as a pipeline takes them: as rows by name, or as a table."""
    if isinstance(_first_step(pipeline), DictVectorizer):
        return _rows(rides)
    return table(ride_features(rides))


def _first_step(pipeline: Any) -> Any:
    return _first_step(pipeline[0]) if isinstance(pipeline, Pipeline) else pipeline


def _rows(rides: Sequence[Ride]) -> Iterator[Any]:
    # Some at a time, because the rows of a few months at once take gigabytes.
    for start in range(0, len(rides), _AT_ONCE):
        yield from rows(ride_features(rides[start : start + _AT_ONCE]))


_AT_ONCE = 10_000


def _encoded_zones() -> ColumnTransformer:
    """Each zone, and each pair of zones, as the mean label of its rides; numbers as they are."""
    zones = [place for place, kind in enumerate(FEATURES.values()) if kind is str]
    return ColumnTransformer(
        [("zones", TargetEncoder(cv=KFold(shuffle=True, random_state=0)), zones)],
        remainder="passthrough",
    )
