"""Rides as a file, and as the Kinesis events that Lambda would make of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from model_service.records.ride_events import Ride, RideEvent
from streams.fakes import kinesis_event


def write_rides(path: Path, rides: Sequence[Ride]) -> None:
    """Write rides as ride events, one a line; their IDs count up."""
    events = [RideEvent(ride, ride_id) for ride_id, ride in enumerate(rides, start=1)]
    path.write_bytes(msgspec.json.Encoder().encode_lines(events))


def kinesis_events(path: Path, batch: int) -> Sequence[Any]:
    """The rides of a file in whole batches; for a larger batch, they come again."""
    payloads = path.read_bytes().splitlines()
    payloads *= -(-batch // len(payloads))
    records = kinesis_event(payloads)["Records"]
    return [
        {"Records": records[start : start + batch]}
        for start in range(0, len(records) - batch + 1, batch)
    ]
