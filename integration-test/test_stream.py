"""The path of a record: input stream, event source mapping, function, output stream."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from harness.cloud import Cloud
from harness.commands import run
from harness.models import LoggedModel
from harness.rides import BadRecord, Put, features, ride
from harness.stack import Stack

from tests.polling import until

Event = dict[str, Any]

# Each test has rides of its own, beside that of examples/ride.json.
_IDS = count(1000)
ROUTES = ((130, 205), (10, 130), (103, 142), (113, 194))
MILES = (0.0, 0.7, 3.66, 12.5, 55.5)

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
    """Rides that are put once, of no, few and many miles, on routes that the models know."""
    return [
        ride(ride_id, *ROUTES[ride_id % len(ROUTES)], MILES[ride_id % len(MILES)])
        for ride_id in (next(_IDS) for _ in range(number))
    ]


def ids(rides: Sequence[Event]) -> list[int]:
    return [event["ride_id"] for event in rides]


def encoded(event: Event) -> bytes:
    return json.dumps(event).encode()


def put_rides(stack: Stack, rides: Sequence[Event]) -> list[Put]:
    return stack.put([(str(event["ride_id"]), encoded(event)) for event in rides])


def require_same(found: Sequence[Event], wanted: Sequence[Event]) -> None:
    """Require the events, some of them perhaps more than once."""
    distinct = {event["event_id"]: event for event in found}
    assert list(distinct.values()) == wanted
    assert all(event in distinct.values() for event in found), "a duplicate differs"


def test_ride_put_with_the_cli_comes_out_as_the_models_prediction(
    stack: Stack, model: LoggedModel
) -> None:
    """By the stack's own two commands, a ride is put, and its whole event read, once."""
    said = json.loads(stack.run("PutARide"))
    expected = model.events([ride(256)], [Put(said["ShardId"], said["SequenceNumber"])])

    assert stack.predictions(model.name, [256]) == expected
    printed = [json.loads(line) for line in stack.run("ReadPredictions").splitlines()]
    mine = [e for e in printed if e["model"] == model.name and e["prediction"]["ride_id"] == 256]
    assert mine == expected


def test_rides_put_with_boto3_come_out_once_each(stack: Stack, model: LoggedModel) -> None:
    """Of many rides, each comes out once, as the whole event, with the model's own value."""
    rides = some_rides(50)
    puts = put_rides(stack, rides)

    assert stack.predictions(model.name, ids(rides)) == model.events(rides, puts)


def test_ride_comes_out_of_both_predictors(
    stack: Stack, model: LoggedModel, tip_model: LoggedModel
) -> None:
    """The tip predictor reads the same rides, and puts its own events beside the durations."""
    rides = some_rides(5)
    puts = put_rides(stack, rides)

    assert stack.predictions(model.name, ids(rides)) == model.events(rides, puts)
    assert stack.predictions(tip_model.name, ids(rides)) == tip_model.events(rides, puts)


def test_rides_are_decided_on_once_each_by_what_both_predictors_say(
    stack: Stack, model: LoggedModel, tip_model: LoggedModel
) -> None:
    """From put-record to the stream of decisions: each decision is whole, and on both values."""
    rides = some_rides(20)
    puts = put_rides(stack, rides)
    events = zip(model.events(rides, puts), tip_model.events(rides, puts), strict=True)
    looks = [features(event) for event in rides]
    values = zip(model.values(looks), tip_model.values(looks), strict=True)

    found = stack.decisions(ids(rides))

    assert found == [decision(*e, *v) for e, v in zip(events, values, strict=True)]
    printed = [json.loads(line) for line in stack.run("ReadDecisions").splitlines()]
    assert all(printed.count(event) == 1 for event in found)


def test_ride_whose_tip_never_comes_is_decided_without_it(stack: Stack) -> None:
    """At the end of its window, the schedule has a ride decided, and the missing one is named."""
    (ride_id,) = ids(some_rides(1))
    duration = {"ride_duration": 21.5, "ride_id": ride_id}
    stack.put_prediction(
        {"model": "another", "version": "1", "prediction": duration, "event_id": "another:1"}
    )

    (found,) = stack.decisions([ride_id])

    assert found["missing"] == ["ride_tip"]
    assert found["decision"] == {"take": None, "tip_an_hour": None, "ride_id": ride_id}


def decision(duration: Event, tip: Event, minutes: float, dollars: float) -> Event:
    """The whole decision event on a ride, worked out anew."""
    tip_an_hour = dollars / (max(minutes, 1.0) / 60)
    ride_id = duration["prediction"]["ride_id"]
    return {
        "policy": "ride_decision",
        "version": "1",
        "decision": {
            "take": tip_an_hour >= 10,
            "tip_an_hour": pytest.approx(tip_an_hour, abs=0.0051),
            "ride_id": ride_id,
        },
        "predictions": {
            "ride_duration": {
                "value": duration["prediction"]["ride_duration"],
                "event_id": duration["event_id"],
            },
            "ride_tip": {"value": tip["prediction"]["ride_tip"], "event_id": tip["event_id"]},
        },
        "missing": [],
        "late": [],
        "event_id": f"ride_decision:1:{ride_id}",
    }


def test_bad_records_are_set_aside_and_the_checkpoint_moves_on(
    stack: Stack, model: LoggedModel, tip_model: LoggedModel
) -> None:
    """Each predictor rejects bad records among good ones once, whole, and nobody is held up."""
    again = stack.come_again()
    before, after = some_rides(10), some_rides(10)
    puts_before = put_rides(stack, before)
    of_bad = stack.put([("bad", bad.data) for bad in BAD])
    puts_after = put_rides(stack, after)

    assert stack.predictions(model.name, ids(before + after)) == model.events(
        before + after, puts_before + puts_after
    )
    stream = stack.outputs["InputStream"]
    for one in (model, tip_model):
        assert stack.rejections(one.name, of_bad) == [
            bad.rejection(put, one.name, one.run_id, stream, "bad")
            for bad, put in sorted(
                zip(BAD, of_bad, strict=True), key=lambda pair: pair[1].sequence_number
            )
        ]
    assert stack.come_again() == again, "items were reported as failed that were finished"


@pytest.mark.emulator
def test_rejections_that_cannot_be_stored_come_again_until_they_are(
    stack: Stack, model: LoggedModel, come_again: set[int]
) -> None:
    """Without its bucket, a bad record is a failed item: the mapping goes on from there, not past."""
    again = stack.come_again()
    rides = some_rides(6)
    come_again |= set(ids(rides))
    with stack.failures_bucket_gone():
        puts = put_rides(stack, rides[:3])
        of_bad = stack.put([("bad", BAD[0].data)])
        puts += put_rides(stack, rides[3:])
        until(lambda: stack.come_again() > again, 60, 0.3)

    found = stack.predictions(model.name, ids(rides))
    stream = stack.outputs["InputStream"]
    rejection = BAD[0].rejection(of_bad[0], model.name, model.run_id, stream, "bad")
    assert stack.rejections(model.name, of_bad) == [rejection]
    require_same(found, model.events(rides, puts))


@pytest.mark.emulator
@pytest.mark.usefixtures("throttled")
def test_output_that_is_throttled_gets_every_prediction(stack: Stack, model: LoggedModel) -> None:
    """While Kinesis refuses every other call, the function sends again what it refused."""
    again, refused = stack.come_again(), stack.refused_entries()
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
    require_same(found, model.events(rides, puts))
    assert stack.come_again() == again, "refused entries were left to the event source mapping"


def test_released_run_is_the_version_of_events_until_it_is_rolled_back(
    cloud: Cloud, stack: Stack, model: LoggedModel, next_model: LoggedModel
) -> None:
    """`make release` changes version and values of the events; `make rollback` brings them back."""
    rides = some_rides(2)
    with released(cloud, next_model):
        puts = put_rides(stack, rides[:1])
        events = stack.predictions(model.name, ids(rides[:1]))
    puts += put_rides(stack, rides[1:])

    assert events == next_model.events(rides[:1], puts[:1])
    assert stack.predictions(model.name, ids(rides[1:])) == model.events(rides[1:], puts[1:])


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
