"""Forests and boosted trees.

A split of a one-hot column asks whether a text feature has one value. In the twin it asks that of
the feature itself, as the number of its value: a tree then reads a handful of columns, whatever the
number of zones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from training.training_errors import CannotConvert
from training.twin.encoder_columns import Column, Encoded, OneHot
from training.twin.graph import Graph

_UNKNOWN = -1.0


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree in arrays, by node; at a leaf, `left` is negative.

    Attributes:
        column: Which column a node splits.
        threshold: What goes left: values up to this.
        left: The node for these.
        right: The node for all others.
        value: What a leaf adds to the prediction.
    """

    column: NDArray[Any]
    threshold: NDArray[np.float64]
    left: NDArray[Any]
    right: NDArray[Any]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees whose values are summed.

    Attributes:
        base: What is added to the sum.
        single_precision: Whether numbers are rounded to 32 bits before they are compared.
    """

    trees: Sequence[Tree]
    base: float
    single_precision: bool


def trees(graph: Graph, columns: Sequence[Column], estimator: Any) -> str:
    """The tensor of the predictions of a model of trees.

    Raises:
        CannotConvert: It is of a kind, or has a setting, that is not known here.
    """
    ensemble = _READERS[type(estimator)](estimator)
    places = _Places(graph, columns, ensemble.single_precision)
    nodes = _Nodes(places)
    for tree in ensemble.trees:
        nodes.add(tree)
    answer = graph.node(
        "TreeEnsemble",
        places.matrix(),
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=_SUM,
        **nodes.attributes(),
    )
    flat = graph.node("Reshape", answer, graph.constant([-1], np.int64))
    return graph.sum([flat, graph.constant(ensemble.base)])


def is_known(estimator: Any) -> bool:
    """Whether this is a model of trees that can be converted."""
    return type(estimator) in _READERS


class _Places:
    """Where a column is in the matrix that trees read: texts as the numbers of their values."""

    def __init__(self, graph: Graph, columns: Sequence[Column], single_precision: bool) -> None:
        self._graph = graph
        self._single_precision = single_precision
        self._codes: dict[str, dict[str, float]] = {}
        self._order: dict[str | int, int] = {}
        self._columns = columns
        for column in columns:
            if isinstance(column, OneHot):
                codes = self._codes.setdefault(column.feature, {})
                codes.setdefault(column.value, float(len(codes)))  # it may be one-hot twice

    def of(self, place: int) -> tuple[int, float | None]:
        """A column's place in the matrix, and the number to compare it with, if it is one-hot."""
        column = self._columns[place]
        # The one-hot columns of a feature are one column here.
        key = column.feature if isinstance(column, OneHot) else place
        index = self._order.setdefault(key, len(self._order))
        code = self._codes[column.feature][column.value] if isinstance(column, OneHot) else None
        return index, code

    def matrix(self) -> str:
        """A tensor of a row a ride, with the columns that were asked for."""
        parts = [self._part(key) for key in self._order]
        if not parts:
            raise CannotConvert("its trees have no splits")
        return self._graph.node("Concat", *parts, axis=1)

    def _part(self, key: str | int) -> str:
        graph = self._graph
        tensor = self._tensor(key)
        if self._single_precision:
            single = graph.node("Cast", tensor, to=_FLOAT)
            tensor = graph.node("Cast", single, to=_DOUBLE)
        return graph.node("Reshape", tensor, graph.constant([-1, 1], np.int64))

    def _tensor(self, key: str | int) -> str:
        if isinstance(key, str):
            return self._graph.lookup(key, self._codes[key], _UNKNOWN)
        match self._columns[key]:
            case Encoded(feature, values, default):
                return self._graph.lookup(feature, values, default)
            case column:
                return self._graph.feature(column.feature)


class _Nodes:
    """Splits and leaves of all trees, as ONNX's TreeEnsemble has them: an array an attribute."""

    def __init__(self, places: _Places) -> None:
        self._places = places
        self._roots: list[int] = []
        self._splits: list[_Split] = []
        self._weights: list[float] = []

    def add(self, tree: Tree) -> None:
        """Add a tree."""
        self._roots.append(len(self._splits))
        is_split = tree.left >= 0
        if not is_split.any():
            # A tree has a root that splits; both sides of this one are the same leaf.
            leaf = (self._leaf(tree, 0), 1)
            place, _ = self._places.of(0)
            self._splits.append(_Split(place, _LEQ, 0.0, leaf, leaf))
            return
        place_of = {
            int(node): len(self._splits) + place
            for place, node in enumerate(np.flatnonzero(is_split))
        }
        for node in place_of:
            left, right = (
                (place_of[child], 0) if child in place_of else (self._leaf(tree, child), 1)
                for child in (int(tree.left[node]), int(tree.right[node]))
            )
            self._splits.append(self._split(tree, node, left, right))

    def _leaf(self, tree: Tree, node: int) -> int:
        self._weights.append(float(tree.value[node]))
        return len(self._weights) - 1

    def _split(self, tree: Tree, node: int, left: "_Child", right: "_Child") -> "_Split":
        threshold = float(tree.threshold[node])
        place, code = self._places.of(int(tree.column[node]))
        if code is None:
            return _Split(place, _LEQ, threshold, left, right)
        if not 0 <= threshold < 1:
            raise CannotConvert(f"it splits a one-hot column at {threshold}")
        # The column is 1, which is past the threshold, where the feature has the value.
        return _Split(place, _EQ, code, right, left)

    def attributes(self) -> dict[str, Any]:
        """The attributes of the operator."""
        splits = self._splits
        return {
            "tree_roots": self._roots,
            "nodes_featureids": [split.place for split in splits],
            "nodes_modes": _tensor([split.mode for split in splits], np.uint8),
            "nodes_splits": _tensor([split.value for split in splits], np.float64),
            "nodes_truenodeids": [split.if_true[0] for split in splits],
            "nodes_trueleafs": [split.if_true[1] for split in splits],
            "nodes_falsenodeids": [split.if_false[0] for split in splits],
            "nodes_falseleafs": [split.if_false[1] for split in splits],
            "leaf_targetids": [0] * len(self._weights),
            "leaf_weights": _tensor(self._weights, np.float64),
        }


# The place of a split or of a leaf, and 1 if it is a leaf.
_Child = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Split:
    place: int
    mode: int
    value: float
    if_true: _Child
    if_false: _Child


# "TreeEnsemble" (ONNX Operators, ai.onnx.ml version 5): modes of a node, ways to aggregate.
_LEQ, _EQ = 0, 4
_SUM = 1
_FLOAT, _DOUBLE = 1, 11  # TensorProto.DataType


def _tensor(values: Sequence[float], kind: Any) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype=kind))


def _tree(estimator: Any, scale: float) -> Tree:
    tree = estimator.tree_
    if tree.n_outputs != 1:
        raise CannotConvert(f"it predicts {tree.n_outputs} values, and not one")
    values = tree.value[:, 0, 0] * scale
    return Tree(tree.feature, tree.threshold, tree.children_left, tree.children_right, values)


def _one_tree(estimator: Any) -> Ensemble:
    return Ensemble([_tree(estimator, 1.0)], 0.0, single_precision=True)


def _forest(estimator: Any) -> Ensemble:
    scale = 1 / len(estimator.estimators_)
    made = [_tree(tree, scale) for tree in estimator.estimators_]
    return Ensemble(made, 0.0, single_precision=True)


def _boosting(estimator: Any) -> Ensemble:
    made = [_tree(tree, estimator.learning_rate) for (tree,) in estimator.estimators_]
    if estimator.init_ == "zero":
        return Ensemble(made, 0.0, single_precision=True)
    if not hasattr(estimator.init_, "constant_"):
        raise CannotConvert(f"it begins with {estimator.init_}, which is not a constant")
    return Ensemble(made, float(np.ravel(estimator.init_.constant_)[0]), single_precision=True)


def _hist_boosting(estimator: Any) -> Ensemble:
    if type(estimator._loss.link).__name__ != "IdentityLink":
        raise CannotConvert(f"its loss {estimator.loss!r} does not predict the sum of its trees")
    if estimator.is_categorical_ is not None:  # it also changes the order of its columns
        raise CannotConvert("it splits by categories of its own; encode them before it")
    made = [_hist_tree(predictor.nodes) for (predictor,) in estimator._predictors]
    return Ensemble(
        made, float(np.ravel(estimator._baseline_prediction)[0]), single_precision=False
    )


def _hist_tree(nodes: Any) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    left = np.where(is_leaf, -1, nodes["left"].astype(int))
    return Tree(nodes["feature_idx"], nodes["num_threshold"], left, nodes["right"], nodes["value"])


_READERS: dict[type, Callable[[Any], Ensemble]] = {
    DecisionTreeRegressor: _one_tree,
    RandomForestRegressor: _forest,
    ExtraTreesRegressor: _forest,
    GradientBoostingRegressor: _boosting,
    HistGradientBoostingRegressor: _hist_boosting,
}
