"""Linear models: a weight for each value of a text feature, and one for each number."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.errors import CannotConvert
from training.twin.columns import Column, OneHot
from training.twin.graph import Graph


def linear(graph: Graph, columns: Sequence[Column], estimator: Any) -> str:
    """The tensor of a linear model's predictions.

    Raises:
        CannotConvert: It predicts more than one value.
    """
    weights, intercept = np.ravel(estimator.coef_), np.ravel(estimator.intercept_)
    if len(weights) != len(columns) or len(intercept) != 1:
        raise CannotConvert(f"it predicts {len(intercept)} values, and not one")
    by_value: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    parts = [graph.constant(intercept[0])]
    for column, weight in zip(columns, weights.tolist(), strict=True):
        if isinstance(column, OneHot):
            # A feature may be encoded more than once.
            by_value[column.feature][column.value] += weight
        else:
            parts.append(graph.node("Mul", column.tensor, graph.constant(weight)))
    parts += [graph.lookup(feature, values, 0.0) for feature, values in by_value.items()]
    return graph.sum(parts)
