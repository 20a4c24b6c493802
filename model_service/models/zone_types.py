"""Whether a model takes zones as text or as integers, found out by predicting with both."""

from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_service.models.model_errors import ModelRefused
from model_service.records.features import DROPOFF, PICKUP, Features, with_integers, zone_features
from streams.errors import brief

# Features that a model may take as text or as integers.
SINGLE_ZONES: Final = (PICKUP, DROPOFF)

TLC_ZONES: Final = range(1, 266)
_MILES = 3.0

_MAX_REASON_CHARACTERS = 300


def zone_trial(zones: Collection[int] = TLC_ZONES) -> Features:
    """Return the features of as many rides as zones: each is once a pickup and once a drop-off."""
    ordered = sorted(zones)
    return zone_features(ordered, ordered[::-1], [_MILES] * len(ordered))


def integers_by_trial(
    predict: Callable[[Features], Any],
    trial: Features,
    names: Collection[str],
    *,
    remedy: str,
    must_matter: bool = False,
) -> Collection[str]:
    """Return the zones that a model takes as integers: all of `names`, or none.

    Text is the choice where a model predicts the same with both.

    Args:
        predict: Predicts a value for each ride of features whose zones are text or integers.
        trial: Features to predict with.
        names: Zones whose type is to be found out.
        remedy: What to do if it cannot be found out, for the message.
        must_matter: Whether some rides of the trial must get another prediction than others.

    Raises:
        ModelRefused: The model predicts with neither, other values with integers than with text,
            or the same value for all rides where some must differ.
    """
    tried = [_values(predict, features) for features in (trial, with_integers(trial, names))]
    predicted = [values for values in tried if not isinstance(values, Exception)]
    if not predicted:
        raise ModelRefused(f"the model predicts no ride: {_said(tried[0])}. {remedy}")
    if not _are_equal(predicted[0], predicted[-1]):
        raise ModelRefused(
            f"the model may have been trained on text or on integers: {' and '.join(names)} as "
            f"text give other predictions than as integers; expected the same. {remedy}"
        )
    if must_matter and _are_equal(predicted[0], predicted[0][:1]):
        raise ModelRefused(
            f"the model was trained on other zones or types: it predicts {predicted[0][0]} in each "
            f"of {len(predicted[0])} zones; expected values that differ. {remedy}"
        )
    return names if isinstance(tried[0], Exception) else ()


def _values(
    predict: Callable[[Features], Any], features: Features
) -> NDArray[np.float64] | Exception:
    try:
        return np.asarray(predict(features), dtype=float).ravel()
    except MemoryError:
        raise
    except Exception as error:  # a model can raise anything
        return error


def _are_equal(some: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    return np.allclose(some, others, rtol=1e-9, equal_nan=True)


def _said(error: Any) -> str:
    return brief(" ".join(f"{type(error).__name__}: {error}".split()), _MAX_REASON_CHARACTERS)
