"""A fitted scikit-learn pipeline -> ONNX."""

from collections.abc import Iterator
from typing import Any

import onnx
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    LinearRegression,
    Ridge,
    RidgeCV,
    SGDRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVR

from training.errors import CannotConvert
from training.twin.columns import columns
from training.twin.graph import Graph
from training.twin.linear import linear
from training.twin.trees import is_known, trees

# Lasso is an ElasticNet.
_LINEAR = (
    ElasticNet, HuberRegressor, LinearRegression, LinearSVR, Ridge, RidgeCV, SGDRegressor
)  # fmt: skip


def convert(pipeline: Any) -> onnx.ModelProto:
    """The twin of a pipeline: of an encoder of features, and a linear model or one of trees.

    Its inputs are features, by name: a text or a number for each ride. Its output is the
    prediction, in double precision.

    Raises:
        CannotConvert: It has a step that is not known here; the message names it.
    """
    *encoders, estimator = _steps(pipeline)
    if len(encoders) != 1:
        raise CannotConvert(
            f"it has {len(encoders)} steps before its {type(estimator).__name__}; a twin is made "
            "of one encoder, a DictVectorizer or a ColumnTransformer, and an estimator"
        )
    graph = Graph()
    made = columns(graph, encoders[0])
    if isinstance(estimator, _LINEAR):
        return graph.model(linear(graph, made, estimator))
    if is_known(estimator):
        return graph.model(trees(graph, made, estimator))
    raise CannotConvert(f"its {type(estimator).__name__} is neither a linear model nor of trees")


def _steps(pipeline: Any) -> Iterator[Any]:
    if not isinstance(pipeline, Pipeline):
        yield pipeline
        return
    for _, step in pipeline.steps:
        yield from _steps(step)
