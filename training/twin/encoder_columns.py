"""What an estimator sees: the columns that the steps before it make of features."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from model_service.models.known_values import columns_at, does_nothing
from model_service.records.features import FEATURES, MADE, text_of
from streams.json_fields import is_text
from training.training_errors import CannotConvert


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric feature as it is."""

    feature: str


@dataclass(frozen=True, slots=True)
class OneHot:
    """1 for rides whose feature has this value, and 0 for all others."""

    feature: str
    value: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """A number for each value of a feature, and one for all others."""

    feature: str
    values: Mapping[str, float]
    default: float


Column = Number | OneHot | Encoded


def columns(encoder: Any) -> list[Column]:
    """The columns that an encoder makes, in their order.

    Raises:
        CannotConvert: It is not an encoder that is known here, or takes features that are not.
    """
    made = list(_columns(encoder))
    for column in made:
        if FEATURES.get(column.feature) is not (float if isinstance(column, Number) else str):
            raise CannotConvert(f"it takes {column.feature!r}, which {MADE}")
        for value in _values(column):
            if not is_text(value):
                raise CannotConvert(f"its {column.feature} may be {value!r}, which is no text")
    return made


def _values(column: Column) -> Iterable[Any]:
    match column:
        case OneHot(_, value):
            return (value,)
        case Encoded(_, values, _):
            return values
    return ()


def _columns(encoder: Any) -> Iterator[Column]:
    if isinstance(encoder, DictVectorizer):
        yield from (_vectorized(name, encoder.separator) for name in encoder.feature_names_)
    elif isinstance(encoder, ColumnTransformer):
        if encoder.transformer_weights:
            raise CannotConvert("its ColumnTransformer weighs its columns")
        for _, transformer, places in encoder.transformers_:
            yield from _transformed(transformer, _names(encoder, places))
    else:
        raise CannotConvert(
            f"its step {type(encoder).__name__} is neither a DictVectorizer nor a ColumnTransformer"
        )


def _vectorized(name: str, separator: str) -> Column:
    feature, is_text, value = name.partition(separator)
    return OneHot(feature, value) if is_text else Number(feature)


def _names(encoder: ColumnTransformer, places: Any) -> list[str]:
    """The features of these names, or at some places of a table, by number, slice or mask."""
    try:
        return columns_at(list(getattr(encoder, "feature_names_in_", FEATURES)), places)
    except (IndexError, TypeError):
        raise CannotConvert(f"its ColumnTransformer takes the columns {places}") from None


def _transformed(transformer: Any, names: Sequence[str]) -> Iterator[Column]:
    if transformer == "drop":
        return
    if does_nothing(transformer):
        yield from (Number(name) for name in names)
    elif numbers := [name for name in names if FEATURES.get(name) is float]:
        raise CannotConvert(f"its {type(transformer).__name__} takes the number {numbers[0]}")
    elif isinstance(transformer, TargetEncoder) and transformer.target_type_ != "multiclass":
        for name, categories, values in zip(
            names, transformer.categories_, transformer.encodings_, strict=True
        ):
            table = dict(zip(_texts(categories), values.tolist(), strict=True))
            yield Encoded(name, table, float(transformer.target_mean_))
    elif isinstance(transformer, OneHotEncoder) and _is_plain(transformer):
        for name, categories in zip(names, transformer.categories_, strict=True):
            yield from (OneHot(name, text) for text in _texts(categories))
    else:
        raise CannotConvert(f"it has a step that is not known here: {transformer}")


def _texts(categories: Any) -> Iterator[Any]:
    """Yield what an encoder knows, integers as the text of zones that the twin looks up."""
    for value in categories.tolist():
        is_integer = isinstance(value, Real) and float(value).is_integer()
        yield text_of(int(value)) if is_integer else value


def _is_plain(encoder: OneHotEncoder) -> bool:
    """Whether each category has a column, and what is not known has none."""
    return (
        encoder.handle_unknown == "ignore"
        and encoder.drop is None
        and encoder.min_frequency is None
        and encoder.max_categories is None
    )
