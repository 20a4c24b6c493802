"""Decodes the columns of a trip file into arrays. TLC changed their types from month to month."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

_INTEGER_LIMIT = 2**63
_WHOLE = re.compile(r"\s*([+-]?\d{1,18})(?:\.0*)?\s*", re.ASCII)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

_Bools = NDArray[np.bool_]
_Floats = NDArray[np.float64]


def zones(column: pa.Array) -> tuple[NDArray[np.int64], _Bools]:
    """Decode zone IDs, and mark which values are zone IDs; the other numbers mean nothing."""
    if types.is_integer(column.type) and column.type != pa.uint64():
        values = pc.fill_null(column, 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return values, column.is_valid().to_numpy(zero_copy_only=False)
    if types.is_string(column.type) or types.is_large_string(column.type):
        return _zones_of_text(column)
    return _whole(floats(column))


def floats(column: pa.Array) -> _Floats:
    """Decode numbers as floats; a missing value is NaN."""
    numbers = column.cast(pa.float64(), safe=False)
    values: _Floats = pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False)
    return values


def ride_minutes(pickup: pa.Array, dropoff: pa.Array) -> _Floats:
    """Compute how long rides took; NaN where a time is missing.

    A taximeter's clock may be off by millennia, and the difference of two 64-bit integers may
    overflow. Floats cannot, and they hold the whole seconds of every real time exactly.
    """
    began, fraction_began = _seconds(pickup)
    ended, fraction_ended = _seconds(dropoff)
    return ((ended - began) + (fraction_ended - fraction_began)) / 60


def _seconds(times: pa.Array) -> tuple[_Floats, _Floats]:
    """Whole seconds and fractions of a second; whole seconds are NaN where the time is missing."""
    per_second = _PER_SECOND[times.type.unit]
    ticks = pc.fill_null(times.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    whole, rest = np.divmod(ticks, per_second)
    is_known = times.is_valid().to_numpy(zero_copy_only=False)
    return np.where(is_known, whole.astype(np.float64), np.nan), rest / per_second


def _zones_of_text(column: pa.Array) -> tuple[NDArray[np.int64], _Bools]:
    # There are 265 zones, however many rides.
    encoded = column.dictionary_encode()
    parsed = [_zone(text) for text in encoded.dictionary.to_pylist()]
    # One more, for rows without any text.
    values = np.array([zone or 0 for zone in parsed] + [0], dtype=np.int64)
    known = np.array([zone is not None for zone in parsed] + [False])
    places = pc.fill_null(encoded.indices, len(parsed)).to_numpy(zero_copy_only=False)
    return values[places], known[places]


def _zone(text: str) -> int | None:
    match = _WHOLE.fullmatch(text)
    return int(match[1]) if match else None


def _whole(values: _Floats) -> tuple[NDArray[np.int64], _Bools]:
    whole = np.isfinite(values) & (np.abs(values) < _INTEGER_LIMIT)
    whole &= np.where(whole, values, 0.5) % 1 == 0
    return np.where(whole, values, 0).astype(np.int64), whole
