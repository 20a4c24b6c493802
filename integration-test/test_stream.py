"""The path of a record: input stream, event source mapping, function, output stream."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from harness.cloud import Cloud
from harness.commands import AWS, PROJECT, run
from harness.compare import differences
from harness.models import LoggedModel
from harness.rides import BadRecord, Put, ride
from harness.stack import Stack

Event = dict[str, Any]

# Each test has rides of its own, beside that of examples/ride.json.
_IDS = count(1000)

BAD = [
    BadRecord(
        b"\xff\xfe",
        "invalid_utf8",
        "the data is not UTF-8: 'utf-8' codec can't decode byte 0xff in position 0: "
        "invalid start byte",
    ),
    BadRecord(
        b"not JSON",
        "invalid_json",
        "the data is not JSON: Expecting value: line 1 column 1 (char 0)",
    ),
    BadRecord(
        b'{"ride": {"PULocationID": 130, "DOLocationID": 205, "trip_distance": "3.66"}, "ride_id": 1}',
        "invalid_event",
        'ride.trip_distance is "3.66"; it must be a finite number >= 0, in miles',
    ),
    BadRecord(
        b'{"ride": {"PULocationID": 130, "DOLocationID": 205}, "ride_id": 2}',
        "invalid_event",
        "ride.trip_distance is missing; it must be a finite number >= 0, in miles",
    ),
    BadRecord(
        b'{"ride": {"PULocationID": true, "DOLocationID": 205, "trip_distance": 1}, "ride_id": 3}',
        "invalid_event",
        "ride.PULocationID is true; it must be an integer, a TLC zone ID",
    ),
]


def some_rides(number: int) -> list[Event]:
    """Rides that are put once, of few and many miles."""
    return [
        ride(ride_id, 1 + ride_id % 5, 100 + ride_id % 7, 0.5 + ride_id % 39)
        for ride_id in (next(_IDS) for _ in range(number))
    ]


def ids(rides: Sequence[Event]) -> list[int]:
    return [event["ride_id"] for event in rides]


def encoded(event: Event) -> bytes:
    return json.dumps(event).encode()


def put_rides(stack: Stack, rides: Sequence[Event]) -> list[Put]:
    return stack.put([(str(event["ride_id"]), encoded(event)) for event in rides])


def require(found: Sequence[Event], wanted: Sequence[Event]) -> None:
    assert found == wanted, differences(found, wanted)


def test_ride_put_with_the_cli_comes_out_as_the_models_prediction(
    cloud: Cloud, stack: Stack, model: LoggedModel
) -> None:
    """A ride put with the AWS CLI comes out once, as the whole event, with the model's own value."""
    said = json.loads(
        run(
            *AWS,
            *("kinesis", "put-record", "--stream-name", stack.outputs["InputStream"]),
            *("--partition-key", "256", "--data", f"fileb://{PROJECT / 'examples/ride.json'}"),
            environ=cloud.environ,
        )
    )
    put = Put(said["ShardId"], said["SequenceNumber"])

    require(stack.predictions(model.name, [256]), model.events([ride(256)], [put]))


def test_rides_put_with_boto3_come_out_once_each(stack: Stack, model: LoggedModel) -> None:
    """Of many rides, each comes out once, as the whole event, with the model's own value."""
    rides = some_rides(50)
    puts = put_rides(stack, rides)

    require(stack.predictions(model.name, ids(rides)), model.events(rides, puts))


def test_ride_comes_out_of_both_predictors(
    stack: Stack, model: LoggedModel, tip_model: LoggedModel
) -> None:
    """The tip predictor reads the same rides, and puts its own events beside the durations."""
    rides = some_rides(5)
    puts = put_rides(stack, rides)

    require(stack.predictions(model.name, ids(rides)), model.events(rides, puts))
    require(stack.predictions(tip_model.name, ids(rides)), tip_model.events(rides, puts))


def test_bad_records_are_set_aside_and_the_checkpoint_moves_on(
    stack: Stack, model: LoggedModel, tip_model: LoggedModel
) -> None:
    """Each predictor rejects bad records among good ones once, whole, and nobody is held up."""
    before, after = some_rides(10), some_rides(10)
    puts_before = put_rides(stack, before)
    of_bad = stack.put([("bad", bad.data) for bad in BAD])
    puts_after = put_rides(stack, after)

    require(
        stack.predictions(model.name, ids(before + after)),
        model.events(before + after, puts_before + puts_after),
    )
    stream = stack.outputs["InputStream"]
    for one in (model, tip_model):
        require(
            stack.rejections(one.name, of_bad),
            [
                bad.rejection(put, one.name, one.run_id, stream, "bad")
                for bad, put in zip(BAD, of_bad, strict=True)
            ],
        )
    assert stack.come_again() == 0, "items were reported as failed that were finished"


@pytest.mark.emulator
@pytest.mark.usefixtures("throttled")
def test_output_that_is_throttled_gets_every_prediction(stack: Stack, model: LoggedModel) -> None:
    """While Kinesis refuses every other call, the function sends again what it refused."""
    refused = stack.refused_entries()
    rides: list[Event] = []
    puts: list[Put] = []
    # One batch after the other, until one was refused: by chance, soon.
    for _ in range(30):
        rides += some_rides(40)
        puts += put_rides(stack, rides[-40:])
        found = stack.predictions(model.name, ids(rides))
        if stack.refused_entries() > refused:
            break

    assert stack.refused_entries() > refused, "Kinesis refused nothing"
    distinct = {event["event_id"]: event for event in found}
    require(list(distinct.values()), model.events(rides, puts))
    assert all(event in distinct.values() for event in found), "a duplicate differs"
    assert stack.come_again() == 0, "refused entries were left to the event source mapping"


def test_released_run_is_the_version_of_events_until_it_is_rolled_back(
    cloud: Cloud, stack: Stack, model: LoggedModel, next_model: LoggedModel
) -> None:
    """`make release` changes version and values of the events; `make rollback` brings them back."""
    rides = some_rides(2)
    with released(cloud, next_model):
        puts = put_rides(stack, rides[:1])
        events = stack.predictions(model.name, ids(rides[:1]))
    puts += put_rides(stack, rides[1:])

    require(events, next_model.events(rides[:1], puts[:1]))
    require(stack.predictions(model.name, ids(rides[1:])), model.events(rides[1:], puts[1:]))


@contextmanager
def released(cloud: Cloud, model: LoggedModel) -> Iterator[None]:
    """Serve another model for a while."""
    command = (sys.executable, "-m", "ops.release", "--stack", cloud.stack_name)
    options = ("--predictor", model.predictor, "--run-id", model.run_id)
    digest = ("--model-sha256", model.sha256)
    run(*command, "release", *options, *digest, environ=cloud.environ)
    try:
        yield
    finally:
        run(*command, "rollback", environ=cloud.environ)
