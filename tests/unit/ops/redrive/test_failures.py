import json
from typing import Any

import pytest

from ops.redrive.failures import Failure, FailureStore, Kind, Place, place_of
from ops.redrive.selection import Selection, selected
from streams.errors import Reason
from tests.unit.ops.redrive.bucket import (
    ARRIVED,
    AWS_KEY,
    SHARD,
    FakeBucket,
    given_up,
    rejected,
    rejection,
)


def read(bucket: FakeBucket, **filters: Any) -> tuple[list[Failure], list[str]]:
    """What is meant, and what was reported."""
    reports: list[str] = []
    store = FailureStore(bucket, "failures", reports.append)
    return list(selected(store, Selection(**filters), lambda *_: None)), reports


def positions(bucket: FakeBucket, **filters: Any) -> list[str]:
    failures, reports = read(bucket, **filters)
    assert reports == []
    return [f"{failure.kind} {failure.source.sequence_number}" for failure in failures]


def test_rejection_is_read_with_its_bytes_and_place() -> None:
    """A line of a rejection object is a failure, and says where it is."""
    bucket = FakeBucket(rejected(rejection(7), rejection(9, b"\xff", sub=2)))

    (_, failure), _ = read(bucket)

    assert (failure.kind, failure.reason, failure.model) == (
        "rejection",
        "invalid_event",
        "durations",
    )
    assert (failure.payload, failure.identity.position) == (b"\xff", f"{SHARD}:9.2")
    assert (failure.key, failure.index) == (next(iter(bucket.objects)), 1)


def test_given_up_batch_is_read_in_awss_format() -> None:
    """Each record of the payload's event is a failure, with condition and function."""
    (first, second), reports = read(FakeBucket(given_up(b"\x00", b"2", first=41)))

    assert reports == []
    assert (first.kind, first.reason) == ("batch", "RetryAttemptsExhausted")
    assert (first.model, first.version) == ("myfunction", "$LATEST")
    assert first.detail == (
        "given up after 1 invocations, the last with the function error Unhandled"
    )
    assert (first.payload, first.source.partition_key) == (b"\x00", "key-0")
    assert (second.identity.position, second.source.stream) == (f"{SHARD}:42", "rides")


def test_given_up_batch_of_a_consumer_is_found_by_the_name_of_its_stream() -> None:
    """With enhanced fan-out the event may name the consumer: `--stream rides` selects it too."""
    batch = given_up(b"1", stream="rides/consumer/duration:1732600000")

    assert positions(FakeBucket(batch), stream="rides") == ["batch 1"]


def test_batch_that_was_never_tried_is_read() -> None:
    """A batch that grew too old before an invocation has no responseContext."""
    ((key, body),) = given_up(b"1").items()
    document = json.loads(body)
    del document["responseContext"]

    (failure,), _ = read(FakeBucket({key: json.dumps(document).encode()}))

    assert failure.version == "-"


@pytest.mark.parametrize("lacking", ["KinesisBatchInfo", "payload", "requestContext"])
def test_object_that_is_no_such_batch_is_reported_and_passed_over(lacking: str) -> None:
    """What another event source left there, or is damaged, does not hide the rest."""
    ((key, body),) = given_up(b"1").items()
    document = json.loads(body)
    del document[lacking]
    bucket = FakeBucket({key: json.dumps(document).encode(), **rejected(rejection(7))})

    failures, reports = read(bucket)

    assert [failure.source.sequence_number for failure in failures] == ["7"]
    (report,) = reports
    assert report.startswith(f"s3://failures/{key} is passed over: ")
    assert lacking in report


def test_payload_that_is_no_event_is_reported() -> None:
    """An object whose payload is cut off is named."""
    ((key, body),) = given_up(b"1").items()
    document = {**json.loads(body), "payload": '{"Records": [{}]}'}

    failures, (report,) = read(FakeBucket({key: json.dumps(document).encode()}))

    assert failures == []
    assert "this is not a batch of Kinesis records" in report


@pytest.mark.parametrize(("number", "arrived"), [("x", ARRIVED), ("7", 1e30)])
def test_rejection_that_names_no_record_is_reported(number: str, arrived: float) -> None:
    """A sequence number that is none, or a time that no calendar has."""
    ((key, body),) = rejected(rejection(7, arrived=arrived)).items()

    failures, (report,) = read(FakeBucket({key: body.replace(b'"7"', f'"{number}"'.encode())}))

    assert failures == []
    assert "this is not a batch of Kinesis records" in report


def test_other_objects_are_not_read() -> None:
    """Asynchronous failures of other functions, and notes about puts, are none of these."""
    keys = ["aws/lambda/async/f/2022/06/02/x", "redriven/rides/00000001.json", "rejected/readme"]
    bucket = FakeBucket(dict.fromkeys(keys, b""))

    assert positions(bucket) == []
    assert bucket.reads == []


FULL = FakeBucket(
    {
        **rejected(rejection(1), rejection(2, reason=Reason.INVALID_UTF8, arrived=ARRIVED + 60)),
        **rejected(rejection(3, model="tips")),
        **given_up(b"4", first=4),
    }
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["rejection 1", "rejection 2", "rejection 3", "batch 4"]),
        ({"kind": Kind.BATCH}, ["batch 4"]),
        ({"reason": "invalid_utf8"}, ["rejection 2"]),
        ({"reason": "RetryAttemptsExhausted"}, ["batch 4"]),
        ({"model": "tips"}, ["rejection 3"]),
        ({"model": "tips/run1"}, ["rejection 3"]),
        ({"model": "tips/run2"}, []),
        ({"model": "myfunction"}, ["batch 4"]),
        ({"since": ARRIVED + 60}, ["rejection 2"]),
        ({"until": ARRIVED + 60}, ["rejection 1", "rejection 3", "batch 4"]),
        ({"shard": SHARD, "reason": "invalid_event"}, ["rejection 1", "rejection 3"]),
        ({"shard": "shardId-9"}, []),
        ({"stream": "others"}, []),
    ],
)
def test_filters_select(filters: dict[str, Any], expected: list[str]) -> None:
    """Each filter alone keeps what it names; times are those of arrival, the end excluded."""
    assert positions(FULL, **filters) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"kind": Kind.BATCH},
        {"model": "tips"},
        {"shard": "shardId-9"},
        {"stream": "others"},
        {"since": FakeBucket().modified.timestamp() + 3601},
    ],
)
def test_objects_that_cannot_hold_what_is_meant_are_not_read(filters: dict[str, Any]) -> None:
    """A bucket of many days is not read for a question about an hour."""
    bucket = FakeBucket(rejected(rejection(1)))

    assert positions(bucket, **filters) == []
    assert bucket.reads == []


def test_key_tells_between_which_numbers_its_records_are() -> None:
    """A position is looked for in the objects that may have it."""
    (key,) = rejected(rejection(7), rejection(9))
    place, batch = place_of(key), place_of(AWS_KEY)

    assert isinstance(place, Place)
    assert [place.spans(number) for number in (6, 7, 9, 10)] == [False, True, True, False]
    assert batch is not None
    assert batch.spans(1)
    assert place_of("other") is None
