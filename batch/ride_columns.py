"""Columns of a trip file -> rides that can be predicted, and why the others cannot.

A row is a ride here if it is one on the stream: a zone at both ends, and a distance that is finite
and not negative. Zones may be text or floats in a file, as TLC wrote them in some months.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model_service.records.ride_events import decode_ride_event
from streams.errors import Reason, Rejected
from tlc.trip_values import floats, zones

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
    pickups, has_pickup = zones(chunk["start"])
    dropoffs, has_dropoff = zones(chunk["end"])
    miles = floats(chunk["miles"])
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


def _shown(column: pa.Array, ids: NDArray[np.int64], is_zone: _Bools, row: int) -> Any:
    if is_zone[row]:
        return int(ids[row])
    value = column[row].as_py()
    return float(value) if isinstance(value, int) else value  # an integer past all zones
