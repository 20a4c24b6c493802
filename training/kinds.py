"""The kinds of model that are trained here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What kind of model is trained."""

    RIDGE = "ridge"
    FOREST = "forest"
    BOOSTING = "boosting"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the estimator is made with: the same rides always give the same model."""
        return _PARAMETERS[self]


_PARAMETERS: Mapping[Kind, Mapping[str, Any]] = {
    # sparse_cg needs no random state.
    Kind.RIDGE: {"alpha": 3.0, "solver": "sparse_cg"},
    # Those of the course's forest.
    Kind.FOREST: {
        "n_estimators": 100, "max_depth": 20, "min_samples_leaf": 10, "random_state": 0
    },
    Kind.BOOSTING: {"max_iter": 300, "learning_rate": 0.1, "random_state": 0},
}  # fmt: skip
