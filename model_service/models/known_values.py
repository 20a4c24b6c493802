"""How a fitted scikit-learn model uses its columns, and the values that its encoders know."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.models.parts import parts

# Fitted parts that see the same columns as the estimator that holds them.
_SAME_COLUMNS = ("best_estimator_", "regressor_", "estimator_", "estimators_", "_preprocessor")


class Use(Enum):
    """How a model uses a column that none of its encoders knows."""

    NUMBER = "as a number, which scikit-learn also makes of text"
    HIDDEN = "behind code that may change it, such as a FunctionTransformer's"


Known = NDArray[Any] | Use
Uses = Iterator[tuple[str, Known]]


def uses(part: Any, names: Sequence[str], *, then_numbers: bool = True) -> Uses:
    """Yield each column that a part uses, with the values that an encoder knows or with its use.

    Args:
        part: A fitted estimator.
        names: The features that it takes, in the order of its columns.
        then_numbers: Whether all parts behind it take numbers.
    """
    use = Use.NUMBER if then_numbers else Use.HIDDEN
    if does_nothing(part) or _takes_numbers(part):
        yield from ((name, use) for name in names)
    elif not _is_of_sklearn(part):
        yield from ((name, Use.HIDDEN) for name in names)
    elif hasattr(part, "feature_names_"):  # a DictVectorizer
        yield from (_vectorized(column, part.separator) for column in part.feature_names_)
    elif hasattr(part, "steps"):
        yield from _in_steps([step for _, step in part.steps], names, use)
    elif hasattr(part, "categories_"):
        # An imputer's indicators of missing values come after its columns.
        yield from zip(names, part.categories_, strict=False)
    else:
        branches = list(_branches(part, names))
        for branch, columns in branches:
            yield from uses(branch, columns, then_numbers=then_numbers)
        yield from ((name, Use.HIDDEN) for name in names if not branches)


def columns_at(names: Sequence[str], places: Any) -> list[str]:
    """Return the features at the places of a ColumnTransformer: names, numbers, a slice or a mask.

    Raises:
        IndexError: A place is outside of the columns.
        TypeError: The places are of another kind.
    """
    if isinstance(places, str | int):
        places = [places]
    if not isinstance(places, slice) and all(isinstance(place, str) for place in places):
        return list(places)
    found: list[str] = np.array(names)[places].tolist()
    return found


def does_nothing(transformer: Any) -> bool:
    """Return whether a transformer returns its columns as they are."""
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return True
    return _is_function(transformer) and transformer.func is None


def _takes_numbers(part: Any) -> bool:
    """Return whether a part and all its parts are scikit-learn's, and none encodes its columns."""
    if hasattr(part, "bin_edges_"):  # KBinsDiscretizer, which encodes the numbers of its bins
        return _is_of_sklearn(part)
    estimators = [held for held in parts(part) if hasattr(held, "fit")]
    return all(map(_is_of_sklearn, estimators)) and not any(map(_is_encoder, estimators))


def _is_of_sklearn(part: Any) -> bool:
    return type(part).__module__.startswith("sklearn.")


def _is_encoder(part: Any) -> bool:
    return (
        type(part).__module__.startswith("sklearn.feature_extraction.")
        or hasattr(part, "categories_")
        or (_is_function(part) and part.func is not None)
    )


def _is_function(part: Any) -> bool:
    return _is_of_sklearn(part) and type(part).__name__ == "FunctionTransformer"


def _vectorized(column: str, separator: str) -> tuple[str, Known]:
    feature, is_text, value = column.partition(separator)
    # A DictVectorizer records that a feature is a number, and no value of it.
    return feature, np.array([value], object) if is_text else np.array([0])


def _in_steps(steps: Sequence[Any], names: Sequence[str], use: Use) -> Uses:
    for place, step in enumerate(steps, 1):
        if _is_of_sklearn(step) and type(step).__name__ == "SimpleImputer":
            kept = set(step.get_feature_names_out(names))
            names = [name for name in names if name in kept]
        elif not does_nothing(step):
            behind = use is Use.NUMBER and all(map(_takes_numbers, steps[place:]))
            yield from uses(step, names, then_numbers=behind)
            return
    yield from ((name, use) for name in names)


def _branches(part: Any, names: Sequence[str]) -> Iterator[tuple[Any, Sequence[str]]]:
    """Yield the parts that a part hands its columns to, with these columns."""
    for _, transformer, places in getattr(part, "transformers_", ()):  # a ColumnTransformer
        if not (isinstance(transformer, str) and transformer == "drop"):
            yield transformer, columns_at(names, places)
    for _, transformer in getattr(part, "transformer_list", ()):  # a FeatureUnion
        yield transformer, names
    if not hasattr(part, "estimators_features_"):  # a bag, whose members see other columns
        yield from ((held, names) for held in _with_same_columns(part, len(names)))


def _with_same_columns(part: Any, width: int) -> Iterator[Any]:
    for attribute in _SAME_COLUMNS:
        held = getattr(part, attribute, None)
        for one in held if isinstance(held, list | tuple) else [held]:
            if hasattr(one, "fit") and getattr(one, "n_features_in_", width) == width:
                yield one
