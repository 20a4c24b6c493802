"""Rides as a file, and as Kinesis events."""

import base64
import json
from pathlib import Path

import pytest

from benchmarks.events import kinesis_events, write_rides
from model_service.records.ride_events import Ride


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    path = tmp_path / "rides.jsonl"
    write_rides(path, [Ride(place, 2, 3.5) for place in range(10)])
    return path


def pickups(event: dict[str, list[dict[str, dict[str, str]]]]) -> list[int]:
    """Where the rides of an event start."""
    payloads = [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
    return [json.loads(payload)["ride"]["PULocationID"] for payload in payloads]


def test_events_are_whole_batches_in_order(rides: Path) -> None:
    """Ten rides are three batches of three; the last one is left out."""
    assert [*map(pickups, kinesis_events(rides, 3))] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_events_larger_than_the_file_have_its_rides_again(rides: Path) -> None:
    """A batch of 12 out of 10 rides begins again, with sequence numbers of its own."""
    (event,) = kinesis_events(rides, 12)

    assert pickups(event) == [*range(10), 0, 1]
    assert len({record["kinesis"]["sequenceNumber"] for record in event["Records"]}) == 12
