"""What a fitted scikit-learn model takes: which features, in which shape and of which types.

scikit-learn checks the names of columns and not their types. To an encoder that was fitted on
integers, a zone in text is an unknown one, and it predicts without an error.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import isnan
from numbers import Real
from pathlib import Path
from typing import Any, Final

from model_service.models.known_values import known_values
from model_service.models.model_errors import ModelRefused
from model_service.models.parts import parts
from model_service.models.zone_types import SINGLE_ZONES, TLC_ZONES, integers_by_trial, zone_trial
from model_service.records.features import (
    FEATURES,
    MADE,
    PAIR,
    Features,
    Key,
    key_of,
    rows,
    table,
    to_list,
    with_integers,
)
from streams.errors import brief

_REMEDY = (
    "Encode zones in the model's first step, or in a ColumnTransformer that is its first step, and "
    "train it on what records/features.py makes"
)
Shape = Callable[[Features], Any]

_ALLOWED: Final = {
    PAIR: "pairs of zones in text, such as '130_205'",
    **dict.fromkeys(SINGLE_ZONES, "zones, all in text such as '130' or all integers such as 130"),
}


def model_input(estimator: Any, path: Path) -> Shape:
    """Return the function that turns features into what an estimator takes.

    Raises:
        ModelRefused: The estimator was fitted on features or on values that no ride has, or the
            type of its zones cannot be found out.
    """
    names, shape = _shape(estimator, path)
    known = _known_by_feature(estimator, names)
    _require_features(path, known.keys() - FEATURES.keys())
    for name, values in known.items():
        _require_values(path, name, values)
    integers = [name for name in SINGLE_ZONES if name in known and _are_numbers(known[name])]
    unclear = [name for name in SINGLE_ZONES if name in names and name not in known]
    make = _with_integers(shape, integers)
    if unclear:
        integers += integers_by_trial(
            lambda features: estimator.predict(make(features)),
            _trial(estimator, known),
            unclear,
            remedy=_REMEDY,
            must_matter=_are_encoded(estimator, unclear),
        )
    return _with_integers(shape, integers)


def frame(names: Sequence[str], features: Features) -> Any:
    """Return a data frame of these features, in this order, a row a ride."""
    import pandas as pd

    return pd.DataFrame({name: to_list(features[name]) for name in names})


def _shape(estimator: Any, path: Path) -> tuple[Sequence[str], Shape]:
    """Return the features that an estimator takes, and what puts them together.

    An estimator takes a data frame or a table if it was fitted on one, and rows otherwise.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        _require_features(path, {str(name) for name in names if name not in FEATURES})
        return list(names), lambda features: frame(list(names), features)
    width = getattr(estimator, "n_features_in_", None)
    if width is None:
        return list(FEATURES), lambda features: list(rows(features))
    if width != len(FEATURES):
        raise ModelRefused(
            f"{path} was trained on {width} columns without names; records/features.py "
            f"makes {len(FEATURES)}: {', '.join(FEATURES)}"
        )
    return list(FEATURES), table


def _with_integers(function: Shape, names: Collection[str]) -> Shape:
    return lambda features: function(with_integers(features, names))


def _known_by_feature(estimator: Any, names: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    known: dict[str, list[Any]] = defaultdict(list)
    for name, value in known_values(estimator, names):
        is_missing = value is None or (isinstance(value, float) and isnan(value))
        if not is_missing:
            known[name].append(value)
    return known


def _require_features(path: Path, unknown: Collection[str]) -> None:
    """Refuse a model of features that are not made here, which a DictVectorizer takes for 0."""
    if unknown:
        example = brief(repr(min(unknown)))
        raise ModelRefused(
            f"{path} was trained on {len(unknown)} features, such as {example}, which {MADE}"
        )


def _require_values(path: Path, name: str, values: Sequence[Any]) -> None:
    """Refuse a feature whose values no ride has, or some of which are text and some numbers."""
    if FEATURES[name] is float:
        are_served = _are_numbers(values)
    else:
        are_of_one_type = _are_numbers(values) or all(isinstance(value, str) for value in values)
        are_served = are_of_one_type and _first_of_rides(name, values) is not None
    if not are_served:
        raise ModelRefused(
            f"{path} was trained on {name}={brief(repr(values[0]))}; expected "
            f"{_ALLOWED.get(name, 'numbers')}. Train it on what records/features.py makes"
        )


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, Real) and not isinstance(value, bool) for value in values)


def _first_of_rides(name: str, values: Iterable[Any]) -> Key | None:
    """Return the first zone, or pair of zones, that a ride may have."""
    wanted = tuple if name == PAIR else int
    return next((key for key in map(_key, values) if isinstance(key, wanted)), None)


def _key(value: Any) -> Key:
    """Return what a zone or a pair of zones is looked up by, of a value that an encoder knows."""
    is_integer = isinstance(value, Real) and float(value).is_integer()
    return int(value) if is_integer else key_of(str(value))


def _trial(estimator: Any, known: Mapping[str, Sequence[Any]]) -> Features:
    """Return the features of rides in all zones that an estimator may know.

    A zone whose type is known stays the same: its encoder may raise on zones that it does not know.
    """
    zones = {*TLC_ZONES, *_zones_in(estimator)}
    fixed: dict[str, Any] = {
        name: [_first_of_rides(name, known[name])] * len(zones)
        for name in (PAIR, *SINGLE_ZONES)
        if name in known
    }
    return {**zone_trial(zones), **fixed}


def _zones_in(estimator: Any) -> Iterator[int]:
    """Yield the zones that encoders know anywhere in a model, also where it is unclear of what."""
    for part in parts(estimator):
        for categories in getattr(part, "categories_", ()):
            for key in map(_key, categories.tolist()):
                if not isinstance(key, str):
                    yield from key if isinstance(key, tuple) else (key,)


def _are_encoded(estimator: Any, names: Collection[str]) -> bool:
    """Return whether an encoder anywhere in a model encodes some of these features."""
    encoders = (part for part in parts(estimator) if hasattr(part, "categories_"))
    return any(not set(names).isdisjoint(getattr(e, "feature_names_in_", ())) for e in encoders)
