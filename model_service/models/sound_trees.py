"""Whether a model's trees lead anywhere: scikit-learn follows their indices without looking.

A file can say of its types that they are trees, and hold nodes that lead out of memory or in a
circle: such a model would crash the function, or keep it for ever. skops does not look either, so
it does not trust trees by itself.
"""

from pathlib import Path
from typing import Any

from model_service.models.model_errors import ModelRefused
from model_service.models.parts import children, parts

_BITSET_WORDS = 8  # of 32 bits, for 256 categories


def require_sound_trees(model: Any, path: Path) -> None:
    """Refuse a model with a tree whose nodes do not lead on to leaves of its own.

    Raises:
        ModelRefused: There is one; the message names what it is a part of.
    """
    for part in parts(model):
        if not _is_sound(part):
            raise ModelRefused(
                f"{path} holds a {type(part).__name__} with a tree that scikit-learn would not "
                "have made; train the model again"
            )


def _is_sound(part: Any) -> bool:
    fitted = getattr(part, "__dict__", {})
    if "tree_" in fitted and not _is_sound_tree(part.tree_, part.n_features_in_):
        return False
    if "_predictors" in fitted and not all(
        _is_sound_predictor(tree, part) for trees in part._predictors for tree in trees
    ):
        return False
    return "estimators_" not in fitted or _agree(part)


def _agree(ensemble: Any) -> bool:
    """Whether all trees of a forest, or of a boosted model, take the rides that the first takes."""
    import numpy as np

    members = ensemble.estimators_
    if isinstance(members, np.ndarray) and (members.ndim != 2 or members.shape[1] != 1):  # noqa: PLR2004 - of stages
        return False  # what is predicted has one column, into which each stage writes its own
    trees = [one for one in children(members) if hasattr(one, "tree_")]
    # A bag gives each of its members features of its own, and has it look at them.
    return hasattr(ensemble, "estimators_features_") or len({t.n_features_in_ for t in trees}) <= 1


def _is_sound_tree(tree: Any, features: int) -> bool:
    if not (1 <= tree.node_count <= tree.capacity and tree.n_features == features):
        return False
    inner = tree.children_left != -1
    return _leads_on(inner, tree.children_left, tree.children_right) and _within(
        tree.feature[inner], features
    )


def _is_sound_predictor(tree: Any, model: Any) -> bool:
    """Whether a tree of histogram-based boosting is sound; it has categories in bit sets."""
    nodes, bits = tree.nodes, tree.raw_left_cat_bitsets
    inner = nodes["is_leaf"] == 0
    by_category = nodes[inner & (nodes["is_categorical"] != 0)]
    known = model._bin_mapper.is_categorical_
    return bool(
        len(nodes)
        and _leads_on(inner, nodes["left"], nodes["right"])
        and _within(nodes["feature_idx"][inner], model.n_features_in_)
        and bits.shape[1:] == (_BITSET_WORDS,)
        and _within(by_category["bitset_idx"], len(bits))
        and _within(by_category["feature_idx"], len(known))
        and known[by_category["feature_idx"]].all()
    )


def _leads_on(inner: Any, left: Any, right: Any) -> bool:
    """Whether each node's children come after it, as scikit-learn numbers them."""
    places = inner.nonzero()[0]
    return all(
        bool((children[inner] > places).all()) and _within(children[inner], len(inner))
        for children in (left, right)
    )


def _within(indices: Any, size: int) -> bool:
    return bool(((indices >= 0) & (indices < size)).all())
