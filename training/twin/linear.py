"""Linear models: a weight for each value of a text feature, and one for each number."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from model_service.models.weights import Lookup, Weights
from training.training_errors import CannotConvert
from training.twin.encoder_columns import Column, Encoded, Number, OneHot
from training.twin.graph import Graph


def weights(columns: Sequence[Column], estimator: Any) -> Weights:
    """The weights of a linear model.

    Raises:
        CannotConvert: It predicts more than one value, or its weights are no numbers.
    """
    coefficients, intercept = np.ravel(estimator.coef_), np.ravel(estimator.intercept_)
    if len(coefficients) != len(columns) or len(intercept) != 1:
        raise CannotConvert(f"it predicts {len(intercept)} values, and not one")
    if not (np.isfinite(coefficients).all() and np.isfinite(intercept).all()):
        raise CannotConvert("its weights are not all finite")
    # A feature may be there more than once.
    numbers: dict[str, float] = defaultdict(float)
    one_hot: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    lookups: list[tuple[str, Lookup]] = []
    for column, weight in zip(columns, coefficients.tolist(), strict=True):
        match column:
            case Number(feature):
                numbers[feature] += weight
            case OneHot(feature, value):
                one_hot[feature][value] += weight
            case Encoded(feature, values, default):
                scaled = {value: weight * number for value, number in values.items()}
                lookups.append((feature, Lookup(scaled, weight * default)))
    lookups += [(feature, Lookup(dict(values), 0.0)) for feature, values in one_hot.items()]
    texts: dict[str, Lookup] = {}
    for feature, lookup in lookups:
        texts[feature] = _sum(texts[feature], lookup) if feature in texts else lookup
    return Weights(float(intercept[0]), dict(numbers), texts)


def _sum(one: Lookup, other: Lookup) -> Lookup:
    return Lookup(
        {
            value: one.weights.get(value, one.default) + other.weights.get(value, other.default)
            for value in one.weights | other.weights
        },
        one.default + other.default,
    )


def linear(graph: Graph, weights: Weights) -> str:
    """The tensor of the predictions of a linear model."""
    return graph.sum(
        [
            graph.constant(weights.intercept),
            *(
                graph.node("Mul", graph.feature(name), graph.constant(weight))
                for name, weight in weights.numbers.items()
            ),
            *(
                graph.lookup(name, lookup.weights, lookup.default)
                for name, lookup in weights.texts.items()
            ),
        ]
    )
