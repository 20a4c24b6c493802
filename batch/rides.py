"""Columns of a trip file -> rides that can be predicted, and why the others cannot.

A row is a ride here if it is one on the stream: a zone at both ends, and a distance that is finite
and not negative. Zones may be text or floats in a file, as TLC wrote them in some months.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

from model_service.events import Reason, Rejected, decode_ride_event

_INTEGER_LIMIT = 2**63
_WHOLE = re.compile(r"\s*([+-]?\d{1,18})(?:\.0*)?\s*", re.ASCII)

_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rides:
    """Rides as columns; what is not valid has any value.

    Attributes:
        pickups: TLC zones where they start.
        dropoffs: TLC zones where they end.
        miles: Distances.
        has_pickup: Whether the zone is one.
        has_dropoff: Whether the zone is one.
        has_miles: Whether the distance is finite and at least 0.
    """

    pickups: NDArray[np.int64]
    dropoffs: NDArray[np.int64]
    miles: NDArray[np.float64]
    has_pickup: _Bools
    has_dropoff: _Bools
    has_miles: _Bools

    @property
    def valid(self) -> _Bools:
        """Which rows can be predicted."""
        return self.has_pickup & self.has_dropoff & self.has_miles


def rides_of(chunk: pa.RecordBatch) -> Rides:
    """The rides of rows with the columns `start`, `end` and `miles`, of TLC's types."""
    pickups, has_pickup = _zones(chunk["start"])
    dropoffs, has_dropoff = _zones(chunk["end"])
    miles = _floats(chunk["miles"])
    has_miles = np.isfinite(miles) & (miles >= 0)
    return Rides(pickups, dropoffs, miles, has_pickup, has_dropoff, has_miles)


def why_rejected(chunk: pa.RecordBatch, rides: Rides, row: int) -> tuple[Reason, str]:
    """What the stream would say of a row that is not valid: reason and detail."""
    ride = {
        "PULocationID": _shown(chunk["start"], rides.pickups, rides.has_pickup, row),
        "DOLocationID": _shown(chunk["end"], rides.dropoffs, rides.has_dropoff, row),
        "trip_distance": chunk["miles"][row].as_py(),
    }
    try:
        decode_ride_event(json.dumps({"ride": ride, "ride_id": row}).encode())
    except Rejected as rejected:
        # Not the exception itself: its traceback would keep the chunk, and who calls this, alive.
        return rejected.reason, rejected.detail
    raise AssertionError(f"the stream would predict {ride}")


def _shown(column: pa.Array, zones: NDArray[np.int64], is_zone: _Bools, row: int) -> Any:
    if is_zone[row]:
        return int(zones[row])
    value = column[row].as_py()
    return float(value) if isinstance(value, int) else value  # an integer past all zones


def _zones(column: pa.Array) -> tuple[NDArray[np.int64], _Bools]:
    """Zone IDs, and which of them are."""
    if types.is_integer(column.type) and column.type != pa.uint64():
        values = pc.fill_null(column, 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return values, column.is_valid().to_numpy(zero_copy_only=False)
    if types.is_string(column.type) or types.is_large_string(column.type):
        return _zones_of_text(column)
    return _whole(_floats(column))


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


def _whole(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], _Bools]:
    whole = np.isfinite(values) & (np.abs(values) < _INTEGER_LIMIT)
    whole &= np.where(whole, values, 0.5) % 1 == 0
    return np.where(whole, values, 0).astype(np.int64), whole


def _floats(column: pa.Array) -> NDArray[np.float64]:
    """Floats; what is missing is NaN."""
    floats = column.cast(pa.float64(), safe=False)
    values: NDArray[np.float64] = pc.fill_null(floats, float("nan")).to_numpy(zero_copy_only=False)
    return values
