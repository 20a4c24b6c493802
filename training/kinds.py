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
        """The estimator's arguments: the same rides give the same model on every machine."""
        return _PARAMETERS[self]


_PARAMETERS: Mapping[Kind, Mapping[str, Any]] = {
    # sparse_cg needs no random state. At the default tolerance, 1e-4, it stops before it has
    # converged, and where it stops depends on the processor and the number of threads: predictions
    # differed by 0.2 minutes. At 1e-14 only rounding remains. On 74,000 rides this takes half a
    # second longer. lsqr takes longer for the same accuracy, and cholesky needs a dense matrix.
    Kind.RIDGE: {"alpha": 3.0, "solver": "sparse_cg", "tol": 1e-14},
    # Those of the course's forest.
    Kind.FOREST: {
        "n_estimators": 100, "max_depth": 20, "min_samples_leaf": 10, "random_state": 0
    },
    Kind.BOOSTING: {"max_iter": 300, "learning_rate": 0.1, "random_state": 0},
}  # fmt: skip
