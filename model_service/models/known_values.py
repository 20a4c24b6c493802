"""The values that a fitted scikit-learn model knows, as its encoders record them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

# Fitted parts that see the same columns as the estimator that holds them.
_SAME_COLUMNS = ("best_estimator_", "regressor_", "estimator_", "estimators_", "_preprocessor")


def known_values(part: Any, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield each value that an encoder knows, with the feature that it encodes.

    Encoders behind a step that may change values or columns are left out: what they know is not
    what the model takes.

    Args:
        part: A fitted estimator.
        names: The features that it takes, in the order of its columns.
    """
    if hasattr(part, "separator"):  # a DictVectorizer
        yield from (_vectorized(column, part.separator) for column in part.feature_names_)
    elif hasattr(part, "transformers_"):
        for _, transformer, places in part.transformers_:
            yield from known_values(transformer, columns_at(names, places))
    elif hasattr(part, "steps"):
        yield from _known_in_steps([step for _, step in part.steps], names)
    elif hasattr(part, "transformer_list"):
        for _, transformer in part.transformer_list:
            yield from known_values(transformer, names)
    elif hasattr(part, "categories_"):
        for name, categories in zip(names, part.categories_, strict=True):
            yield from ((name, value) for value in categories.tolist())
    else:
        for held in _with_same_columns(part, names):
            yield from known_values(held, names)


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
    if transformer is None or transformer == "passthrough":
        return True
    return type(transformer).__name__ == "FunctionTransformer" and transformer.func is None


def _vectorized(column: str, separator: str) -> tuple[str, Any]:
    feature, is_text, value = column.partition(separator)
    # A DictVectorizer records that a feature is a number, and no value of it.
    return feature, value if is_text else 0.0


def _known_in_steps(steps: Iterable[Any], names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for step in steps:
        yield from known_values(step, names)
        if not (does_nothing(step) or type(step).__name__ == "SimpleImputer"):
            return


def _with_same_columns(part: Any, names: Sequence[str]) -> Iterator[Any]:
    if hasattr(part, "estimators_features_"):  # a bag, whose members see other columns
        return
    for attribute in _SAME_COLUMNS:
        held = getattr(part, attribute, None)
        for one in held if isinstance(held, list | tuple) else [held]:
            if hasattr(one, "fit") and getattr(one, "n_features_in_", len(names)) == len(names):
                yield one
