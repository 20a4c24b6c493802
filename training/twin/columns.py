"""What an estimator sees: the columns that the steps before it make of features."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from model_service.features import FEATURES
from training.errors import CannotConvert
from training.twin.graph import Graph


@dataclass(frozen=True, slots=True)
class OneHot:
    """1 for rides whose feature has this value, and 0 for all others."""

    feature: str
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A tensor of the graph."""

    tensor: str


Column = OneHot | Number


def columns(graph: Graph, encoder: Any) -> list[Column]:
    """The columns that an encoder makes, in their order; their tensors go into the graph.

    Raises:
        CannotConvert: It is not an encoder that is known here.
    """
    if isinstance(encoder, DictVectorizer):
        return [_vectorized(graph, name, encoder.separator) for name in encoder.feature_names_]
    if isinstance(encoder, ColumnTransformer):
        if encoder.transformer_weights:
            raise CannotConvert("its ColumnTransformer weighs its columns")
        return [
            column
            for _, transformer, places in encoder.transformers_
            for column in _transformed(graph, transformer, _names(encoder, places))
        ]
    raise CannotConvert(
        f"its step {type(encoder).__name__} is neither a DictVectorizer nor a ColumnTransformer"
    )


def _vectorized(graph: Graph, name: str, separator: str) -> Column:
    feature, is_text, value = name.partition(separator)
    return OneHot(feature, value) if is_text else Number(graph.feature(feature))


def _names(encoder: ColumnTransformer, places: Any) -> list[str]:
    """The features of these names, or at some places of a table, by number, slice or mask."""
    given = np.array(list(getattr(encoder, "feature_names_in_", FEATURES)))
    if isinstance(places, str | int):
        places = [places]
    if not isinstance(places, slice) and all(isinstance(place, str) for place in places):
        return list(places)
    try:
        return list(given[places].tolist())
    except (IndexError, TypeError):
        raise CannotConvert(f"its ColumnTransformer takes the columns {places}") from None


def _transformed(graph: Graph, transformer: Any, names: Sequence[str]) -> Iterator[Column]:
    if transformer == "drop":
        return
    if transformer == "passthrough" or _does_nothing(transformer):
        yield from (Number(graph.feature(name)) for name in names)
    elif numbers := [name for name in names if FEATURES.get(name) is float]:
        raise CannotConvert(f"its {type(transformer).__name__} takes the number {numbers[0]}")
    elif isinstance(transformer, TargetEncoder):
        for name, categories, values in zip(
            names, transformer.categories_, transformer.encodings_, strict=True
        ):
            table = dict(zip(categories.tolist(), values.tolist(), strict=True))
            yield Number(graph.lookup(name, table, float(transformer.target_mean_)))
    elif isinstance(transformer, OneHotEncoder) and _is_plain(transformer):
        for name, categories in zip(names, transformer.categories_, strict=True):
            yield from (OneHot(name, category) for category in categories.tolist())
    else:
        raise CannotConvert(f"it has a step that is not known here: {transformer}")


def _does_nothing(transformer: Any) -> bool:
    return type(transformer).__name__ == "FunctionTransformer" and transformer.func is None


def _is_plain(encoder: OneHotEncoder) -> bool:
    """Whether each category has a column, and what is not known has none."""
    return (
        encoder.handle_unknown == "ignore"
        and encoder.drop is None
        and encoder.min_frequency is None
        and encoder.max_categories is None
    )
