"""Trees that scikit-learn makes are loaded; trees that lead out of memory or in circles are not."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from model_service.models.model_errors import ModelRefused
from model_service.models.sound_trees import require_sound_trees

PATH = Path("model.skops")
RIDES = np.random.default_rng(1).integers(0, 9, (200, 3)).astype(float)
MINUTES = RIDES.sum(axis=1)
TREE = DecisionTreeRegressor()


@pytest.mark.parametrize(
    "model",
    [
        TREE,
        DecisionTreeRegressor(ccp_alpha=0.1),
        DecisionTreeRegressor(max_leaf_nodes=9),
        RandomForestRegressor(5),
        ExtraTreesRegressor(5),
        GradientBoostingRegressor(n_estimators=5),
        HistGradientBoostingRegressor(max_iter=5),
        HistGradientBoostingRegressor(max_iter=5, categorical_features=[1]),
        BaggingRegressor(TREE, 5, max_features=2),
        AdaBoostRegressor(TREE, n_estimators=5),
        StackingRegressor([("tree", TREE)], RandomForestRegressor(5), cv=2, passthrough=True),
        VotingRegressor([("forest", RandomForestRegressor(5)), ("linear", LinearRegression())]),
        make_pipeline(StandardScaler(), RandomForestRegressor(5)),
        LinearRegression(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_trees_that_were_trained_are_sound(model: Any) -> None:
    """Whatever holds them."""
    require_sound_trees(model.fit(RIDES, MINUTES), PATH)


def refused(model: Any) -> str:
    with pytest.raises(ModelRefused, match="^model.skops holds a .* train the model again$") as e:
        require_sound_trees(model, PATH)
    return str(e.value)


def change_tree(tree: DecisionTreeRegressor, **changes: Any) -> None:
    """Change fields of the first node of a tree, or its state."""
    state = tree.tree_.__getstate__()
    nodes = state["nodes"].copy()
    for name, value in changes.items():
        if name in nodes.dtype.names:
            nodes[name][0] = value
        else:
            state[name] = value
    tree.tree_.__setstate__({**state, "nodes": nodes})


@pytest.mark.parametrize(
    "changes",
    [
        {"left_child": 0},
        {"right_child": 0},
        {"left_child": 1 << 40},
        {"right_child": 1 << 40},
        {"left_child": -2},
        {"right_child": -1},
        {"feature": 3},
        {"feature": -1},
        {"node_count": 1 << 40},
        {"node_count": 0},
    ],
)
def test_tree_that_leads_elsewhere_is_refused(changes: dict[str, int]) -> None:
    """A node that is its own child keeps a prediction for ever; one out of memory crashes it."""
    model = make_pipeline(StandardScaler(), BaggingRegressor(TREE, 2)).fit(RIDES, MINUTES)
    change_tree(model[-1].estimators_[1], **changes)

    assert "holds a DecisionTreeRegressor with a tree" in refused(model)


@pytest.mark.parametrize("field", ["left", "right", "feature_idx"])
@pytest.mark.parametrize("value", [0, 1 << 30])
def test_histogram_tree_that_leads_elsewhere_is_refused(field: str, value: int) -> None:
    """So it is with the trees of histogram-based boosting, which are of another kind."""
    model = HistGradientBoostingRegressor(max_iter=2).fit(RIDES, MINUTES)
    if (field, value) == ("feature_idx", 0):
        value = 3
    model._predictors[1][0].nodes[field][0] = value

    assert "holds a HistGradientBoostingRegressor with a tree" in refused(model)


@pytest.mark.parametrize("categories", [None, [1]])
def test_histogram_tree_of_unknown_categories_is_refused(categories: list[int] | None) -> None:
    """A node looks up categories in bit sets that are there, of a feature that has some."""
    model = HistGradientBoostingRegressor(max_iter=1, categorical_features=categories)
    nodes = model.fit(RIDES, MINUTES)._predictors[0][0].nodes
    nodes["is_categorical"][0] = 1
    nodes["bitset_idx"][0] = 99

    refused(model)


@pytest.mark.parametrize(
    "hide",
    [
        lambda forest: FunctionTransformer(forest.predict),
        lambda forest: FunctionTransformer(partial(forest.predict)),
        lambda forest: FunctionTransformer(kw_args={"a": (np.array([forest], dtype=object),)}),
    ],
    ids=["method", "partial", "array"],
)
def test_tree_is_found_wherever_it_is(hide: Callable[[Any], Any]) -> None:
    """A model can hold another one in more ways than as one of its steps."""
    forest = RandomForestRegressor(2).fit(RIDES, MINUTES)
    change_tree(forest.estimators_[1], left_child=0)

    refused(make_pipeline(hide(forest), LinearRegression()))


def test_forest_of_trees_of_other_features_is_refused() -> None:
    """A forest looks at a ride once, for all of its trees."""
    model = RandomForestRegressor(2).fit(RIDES, MINUTES)
    model.estimators_[1] = copy.deepcopy(TREE).fit(np.tile(RIDES, 3), MINUTES)

    assert "holds a RandomForestRegressor" in refused(model)


def test_boosted_trees_of_several_columns_are_refused() -> None:
    """Each column of trees writes to one of the predictions, of which there is one."""
    model = GradientBoostingRegressor(n_estimators=4).fit(RIDES, MINUTES)
    model.estimators_ = model.estimators_.reshape(1, 4)

    assert "holds a GradientBoostingRegressor" in refused(model)
