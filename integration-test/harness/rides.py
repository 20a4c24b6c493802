"""Rides and bad records to put."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from math import log1p
from typing import Any

Features = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class Put:
    """Where a record went."""

    shard: str
    sequence_number: str


def ride(
    ride_id: int, pickup: int = 130, dropoff: int = 205, miles: float = 3.66
) -> dict[str, Any]:
    """A ride event."""
    return {
        "ride": {"PULocationID": pickup, "DOLocationID": dropoff, "trip_distance": miles},
        "ride_id": ride_id,
    }


def features(event: Mapping[str, Any]) -> Features:
    """What the model is to be asked about a ride.

    Written out anew: a mistake in the product's own definition would be in its training, too, and
    then only this notices.
    """
    pickup, dropoff, miles = event["ride"].values()
    clipped = miles if miles < 40 else 40.0
    return {
        "PU_DO": f"{pickup}_{dropoff}",
        "PU": str(pickup),
        "DO": str(dropoff),
        "trip_distance": clipped,
        "log_distance": log1p(clipped),
        "no_distance": 0.0 if miles else 1.0,
    }


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that can never succeed, and how it is rejected."""

    data: bytes
    reason: str
    detail: str

    def rejection(
        self, put: Put, model: str, version: str, stream: str, partition_key: str
    ) -> dict[str, Any]:
        """The whole rejection, but for the time of arrival, which must be one."""
        return {
            "reason": self.reason,
            "detail": self.detail,
            "source": {
                "stream": stream,
                "shard": put.shard,
                "sequence_number": put.sequence_number,
                "sub_sequence_number": None,
                "partition_key": partition_key,
                "arrival_time": _ATime(),
            },
            "model": model,
            "version": version,
            "data": base64.b64encode(self.data).decode(),
        }


class _ATime:
    """Equals any number of seconds since 2020."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and other > 1_577_836_800

    def __hash__(self) -> int:
        return 0
