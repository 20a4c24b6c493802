"""What a Spark worker does: the scoring function over the batches of a partition."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import pyarrow as pa

from batch.options import model_settings
from batch.scorer import Scorer
from model_service.models.loading import load_model

Variables = tuple[tuple[str, str], ...]


def scoring(
    model: Mapping[str, str], ride_prefix: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for `mapInArrow`, which takes the columns that `Scorer.score` takes.

    Args:
        model: Variables that name the model; a worker's own environment has the rest.
        ride_prefix: What ride IDs begin with.
    """
    variables = tuple(sorted(model.items()))

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = _scorer(variables)
        for batch in batches:
            yield scorer.score(batch, ride_prefix)

    return score


@lru_cache(maxsize=1)
def _scorer(variables: Variables) -> Scorer:
    # A worker's process scores one partition after the other: it loads the model once.
    return Scorer(load_model(model_settings(os.environ | dict(variables))))
