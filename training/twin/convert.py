"""A fitted scikit-learn pipeline -> its twin."""

from collections.abc import Iterator
from typing import Any, NamedTuple

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

from model_service.models.weights import Weights
from training.training_errors import CannotConvert
from training.twin.encoder_columns import columns
from training.twin.graph import Graph
from training.twin.linear import linear, weights
from training.twin.trees import is_known, trees

# Lasso is an ElasticNet.
_LINEAR = (
    ElasticNet, HuberRegressor, LinearRegression, LinearSVR, Ridge, RidgeCV, SGDRegressor
)  # fmt: skip


class Twin(NamedTuple):
    """What predicts as a pipeline does, from a file of its own.

    Attributes:
        onnx: A graph. Its inputs are features, by name: a text or a number for each ride. Its
            output is the prediction, in double precision.
        weights: The same in numbers, of a linear model.
    """

    onnx: onnx.ModelProto
    weights: Weights | None


def convert(pipeline: Any) -> Twin:
    """The twin of a pipeline: of an encoder of features, and a linear model or one of trees.

    Raises:
        CannotConvert: It has a step that is not known here; the message names it.
    """
    *encoders, estimator = _steps(pipeline)
    if len(encoders) != 1:
        raise CannotConvert(
            f"it has {len(encoders)} steps before its {type(estimator).__name__}; a twin is made "
            "of one encoder, a DictVectorizer or a ColumnTransformer, and an estimator"
        )
    made, graph = columns(encoders[0]), Graph()
    if isinstance(estimator, _LINEAR):
        found = weights(made, estimator)
        return Twin(graph.model(linear(graph, found)), found)
    if is_known(estimator):
        return Twin(graph.model(trees(graph, made, estimator)), None)
    raise CannotConvert(f"its {type(estimator).__name__} is neither a linear model nor of trees")


def _steps(pipeline: Any) -> Iterator[Any]:
    if not isinstance(pipeline, Pipeline):
        yield pipeline
        return
    for _, step in pipeline.steps:
        yield from _steps(step)
