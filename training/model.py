"""The model: one-hot zones and distances into a ridge regression."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import Pipeline, make_pipeline

from model_service.events import Ride
from model_service.features import Features, ride_features
from training.examples import Examples

# sparse_cg needs no random state: the same rides always give the same model.
PARAMETERS = {"alpha": 3.0, "solver": "sparse_cg"}


@dataclass(frozen=True, slots=True)
class Scores:
    """How far predictions are from labels; `rmse` and `mae` in the target's unit."""

    rmse: float
    mae: float
    r2: float


def fit(examples: Examples) -> Pipeline:
    """A pipeline that takes `ride_features` and predicts the examples' labels."""
    pipeline = make_pipeline(DictVectorizer(), Ridge(**PARAMETERS))
    return pipeline.fit(_features(examples.rides), examples.labels)


def score(pipeline: Pipeline, examples: Examples) -> Scores:
    """Compare what the pipeline predicts for the examples with their labels."""
    predictions = pipeline.predict(_features(examples.rides))
    return Scores(
        rmse=float(root_mean_squared_error(examples.labels, predictions)),
        mae=float(mean_absolute_error(examples.labels, predictions)),
        r2=float(r2_score(examples.labels, predictions)),
    )


def _features(rides: Sequence[Ride]) -> Iterator[Features]:
    # One by one, because the features of a few months at once take gigabytes.
    return (ride_features(ride) for ride in rides)
