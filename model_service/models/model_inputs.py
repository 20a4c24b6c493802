"""What a model takes: which features, in which shape and of which types.

scikit-learn checks the names of columns and not their types. To an encoder that was fitted on
integers, a zone in text is an unknown one, and it predicts without an error. So the types are read
from the model's signature and from its encoders, and a model that shows neither is refused.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import isfinite, isnan
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_service.models.known_values import Known, Use, uses
from model_service.models.model_errors import ModelRefused
from model_service.models.parts import parts
from model_service.models.zone_types import (
    INTEGERS,
    SIGNATURE_TYPES,
    TEXT,
    ColumnType,
    ignored,
    typed,
)
from model_service.records.features import (
    DROPOFF,
    FEATURES,
    MADE,
    PAIR,
    PICKUP,
    Features,
    key_of,
    ride_features,
    rows,
    table,
    to_list,
)
from model_service.records.ride_events import SAMPLE, Ride
from streams.errors import brief

_REMEDY: Final = (
    "Log the model with an input signature (mlflow.models.infer_signature) of zones as text such "
    "as '130', as integers or as floats, and of pairs as text such as '130_205'"
)
_MAX_REASON_CHARACTERS = 300

Shape = Callable[[Features], Any]
Uses = Mapping[str, Sequence[Known]]

_ZONE: Final = "zones as text such as '130', as integers or as floats"
_ZONES: Final = {PAIR: "pairs of zones as text such as '130_205'", PICKUP: _ZONE, DROPOFF: _ZONE}
_NUMBERS: Final = SIGNATURE_TYPES["double"]
_is_number = re.compile("[-+._0-9]*[0-9][-+._0-9]*").fullmatch


def model_input(estimator: Any, path: Path, signature: Mapping[str, str]) -> Shape:
    """Return the function that turns features into what an estimator takes.

    Args:
        estimator: A fitted scikit-learn estimator.
        path: Where it is, for messages.
        signature: MLflow's types of columns by name; empty if the model has none.

    Raises:
        ModelRefused: The estimator was fitted on features or on values that no ride has, or
            nothing shows the type of its zones.
    """
    names, shape = _shape(estimator, path, signature)
    found: dict[str, list[Known]] = defaultdict(list)
    for name, known in uses(estimator, names):
        found[name].append(known)
    types = column_types(path, found, signature)
    hidden = hidden_texts(found, types)
    _require_plain_texts(path, estimator, hidden)

    def make(features: Features) -> Any:
        return shape(typed(features, types))

    require_predictions(path, lambda features: estimator.predict(make(features)), hidden)
    return make


def column_types(path: Path, found: Uses, signature: Mapping[str, str]) -> dict[str, ColumnType]:
    """Return the types of the features that a model uses or that its signature has.

    Args:
        path: Where the model is, for messages.
        found: How the model uses its features.
        signature: MLflow's types of columns by name; empty if the model has none.

    Raises:
        ModelRefused: A feature is not made here, or nothing shows its type.
    """
    names = {**found, **signature}
    _require_features(path, names.keys() - FEATURES.keys())
    return {name: _type(path, name, found.get(name, ()), signature.get(name)) for name in names}


def hidden_texts(found: Uses, types: Mapping[str, ColumnType]) -> list[str]:
    """Return the zones that a model reads as text in code that shows no zone it knows."""
    return [
        name
        for name, known in found.items()
        if name in _ZONES
        and types[name] is TEXT
        and all(isinstance(what, Use) for what in known)
        and Use.HIDDEN in known
    ]


def require_predictions(path: Path, predict: Callable[[Features], Any], texts: list[str]) -> None:
    """Have a model predict the sample ride, and rides in all zones if it may know none of them.

    Args:
        path: Where the model is, for messages.
        predict: Predicts a value for each ride.
        texts: Zones that the model reads as text in code that shows no zone it knows.

    Raises:
        ModelRefused: It raises, predicts no number, or ignores some of these zones.
    """
    rides = [SAMPLE, *(Ride(SAMPLE.PULocationID, SAMPLE.DOLocationID, far) for far in (0.0, 99.0))]
    try:
        values = np.asarray(predict(ride_features(rides)), dtype=float).ravel().tolist()
    except MemoryError:
        raise
    except Exception as error:  # a model can raise anything
        said = brief(" ".join(f"{type(error).__name__}: {error}".split()), _MAX_REASON_CHARACTERS)
        raise ModelRefused(f"{path} cannot predict {SAMPLE}: {said}. {_REMEDY}") from None
    if len(values) != len(rides) or not all(map(isfinite, values)):
        raise ModelRefused(
            f"{path} predicts {brief(str(values))} for {len(rides)} rides like {SAMPLE}; expected "
            "a finite number for each. Train the model again"
        )
    for name in ignored(predict, texts):
        raise ModelRefused(
            f"{path} predicts the same in every zone of {name}; expected values that differ. Train "
            f"it on {_ZONES[name]}, or without the column {name}"
        )


def frame(names: Sequence[str], features: Features) -> Any:
    """Return a data frame of these features, in this order, a row a ride."""
    import pandas as pd

    columns = {name: features[name] for name in names}
    return pd.DataFrame(
        {
            name: column if isinstance(column, np.ndarray) else to_list(column)
            for name, column in columns.items()
        }
    )


def _shape(
    estimator: Any, path: Path, signature: Mapping[str, str]
) -> tuple[Sequence[str], Shape]:  # fmt: skip
    """Return the features that an estimator takes, and what puts them together.

    An estimator takes a data frame or a table if it was fitted on one, and rows otherwise. Other
    estimators than scikit-learn's may not say, but a signature is that of a data frame.
    """
    names = getattr(estimator, "feature_names_in_", None)
    width = getattr(estimator, "n_features_in_", None)
    if names is None and width is None and not _takes_rows(estimator):
        names = list(signature) or None
    if names is not None:
        _require_features(path, {str(name) for name in names if name not in FEATURES})
        return list(names), lambda features: frame(list(names), features)
    if width is None:
        return list(FEATURES), lambda features: list(rows(features))
    if width != len(FEATURES):
        raise ModelRefused(
            f"{path} was trained on {width} columns without names; records/features.py "
            f"makes {len(FEATURES)}: {', '.join(FEATURES)}"
        )
    return list(FEATURES), table


def _takes_rows(estimator: Any) -> bool:
    return any(
        type(part).__name__ in ("DictVectorizer", "FeatureHasher") for part in parts(estimator)
    )


def _require_features(path: Path, unknown: Collection[str]) -> None:
    """Refuse a model of features that are not made here, which a DictVectorizer takes for 0."""
    if unknown:
        example = brief(repr(min(unknown)))
        raise ModelRefused(
            f"{path} was trained on {len(unknown)} features, such as {example}, which {MADE}. "
            "Train it on these"
        )


def _type(path: Path, name: str, known: Sequence[Known], signed: str | None) -> ColumnType:
    """Return a column's type, by the signature and by the values that encoders know."""
    arrays = [values for values in known if not isinstance(values, Use)]
    encoded = _type_of_values(path, name, arrays) if arrays else None
    if signed is not None:
        return _signed_type(path, name, encoded, signed)
    if name not in _ZONES:
        return _NUMBERS
    if encoded is not None:
        return encoded
    if Use.HIDDEN in known or name == PAIR:
        use = Use.HIDDEN if Use.HIDDEN in known else Use.NUMBER
        raise ModelRefused(
            f"{path} uses {name} {use.value}; expected a signature or an encoder of "
            f"scikit-learn in its first step. {_REMEDY}"
        )
    return INTEGERS


def _signed_type(path: Path, name: str, encoded: ColumnType | None, signed: str) -> ColumnType:
    """Return the type of a column in the signature.

    A column of objects has the type of its values there, and stays one of objects.
    """
    found = SIGNATURE_TYPES.get(signed)
    is_text = found is TEXT
    must_be_text = name == PAIR or (encoded is not None and encoded.kind is str)
    may_be_text = name in _ZONES and (encoded is None or encoded.kind is str)
    if found is None or (is_text and not may_be_text) or (must_be_text and not is_text):
        raise ModelRefused(
            f"{path} has a signature in which {name} is {brief(signed)}; expected "
            f"{_expected(name)}, as in training. {_REMEDY}"
        )
    if name not in _ZONES:
        return found if found.kind is float else _NUMBERS
    return encoded if encoded is not None and encoded.dtype is object else found


def _type_of_values(path: Path, name: str, arrays: Sequence[NDArray[Any]]) -> ColumnType:
    """Return the type of the values that encoders know."""
    values = [value for array in arrays for value in array.tolist() if not _is_missing(value)]
    _require_values(path, name, values)
    numbers = [value for value in values if not isinstance(value, str)]
    if not numbers:
        return TEXT
    found = INTEGERS if any(isinstance(number, Integral) for number in numbers) else _NUMBERS
    are_objects = all(array.dtype == object for array in arrays)
    return ColumnType(found.kind, object) if are_objects else found


def _require_values(path: Path, name: str, values: Sequence[Any]) -> None:
    """Refuse a feature if a ride cannot have each of its values, in the same type.

    A text without digits stands for a missing zone, and no ride has it.
    """
    served = [value for value in values if _is_served(name, value)]
    wrong = [value for value in values if not (_is_served(name, value) or _is_placeholder(value))]
    wrong += [value for value in served if isinstance(value, str) != isinstance(served[0], str)]
    if wrong or (values and not served):
        raise ModelRefused(
            f"{path} was trained on {name}={brief(repr((wrong or values)[0]))}; expected "
            f"{_expected(name)}, all of one type. Train it on what records/features.py makes"
        )


def _is_served(name: str, value: Any) -> bool:
    """Return whether a ride has a value, written as it is written here."""
    if isinstance(value, str):
        return name in _ZONES and isinstance(key_of(value), tuple if name == PAIR else int)
    if name == PAIR or isinstance(value, bool) or not isinstance(value, Real):
        return False
    return name not in _ZONES or float(value).is_integer()


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and not any(map(str.isdigit, value))


def _require_plain_texts(path: Path, estimator: Any, hidden: Collection[str]) -> None:
    """Refuse a model that looks up zones in another form, anywhere in it."""
    for text in _texts_in(estimator) if hidden else ():
        if _is_number(text) and isinstance(key_of(text), str):
            raise ModelRefused(
                f"{path} knows the zone or pair of zones {brief(repr(text))}; expected zones such "
                "as '130' and pairs such as '130_205'. Train it on such text"
            )


def _texts_in(estimator: Any) -> Iterator[str]:
    for part in parts(estimator):
        for attribute in ("categories_", "vocabulary_", "feature_names_"):
            separator = getattr(part, "separator", None)
            for text in _texts(getattr(part, attribute, ())):
                yield text.partition(separator)[2] if isinstance(separator, str) else text


def _texts(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict | list | tuple | np.ndarray):
        for one in held:
            yield from _texts(one)


def _expected(name: str) -> str:
    return _ZONES.get(name, "numbers")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))
