"""Batch scoring as a schedule starts it, in Lambda."""

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from batch.batch_errors import TripsError, UsageError
from batch.scheduled import ScheduledScoring
from event_source_mapping.emulator import Emulator
from tests.trip_files import write_trips

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FILES = [f"green_tripdata_2021-0{month}.parquet" for month in (1, 2, 3)]


class Remaining:
    """Lambda's context, at the start of an invocation."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def s3(
    aws: Emulator,
    tmp_path: Path,
    duration_model: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> "S3Client":
    """A bucket with three months, and a function's variables."""
    client = aws.client("s3")
    client.create_bucket(Bucket="rides")
    for seed, name in enumerate(FILES):
        client.upload_file(str(write_trips(tmp_path, name, 50, seed)), "rides", f"trips/{name}")
    monkeypatch.setenv("MODEL_LOCATION", str(duration_model["model_location"]))
    monkeypatch.setenv("BATCH_INPUT", "s3://rides/trips")
    monkeypatch.setenv("BATCH_OUTPUT", "s3://rides/scored")
    return client


def test_handler_scores_what_is_new(s3: "S3Client") -> None:
    """The first invocation scores all files, the next one none, and a new month alone is scored."""
    sys.modules.pop("batch_function", None)
    handler = importlib.import_module("batch_function").lambda_handler

    first = handler({"to": "2021-02"}, Remaining(900))
    again = handler({}, Remaining(900))

    assert (first["scored"], first["before"], first["left"]) == (FILES[:2], [], [])
    assert first["predicted"] + sum(first["rejected"].values()) == 100
    assert (again["scored"], again["before"], again["left"]) == (FILES[2:], FILES[:2], [])
    listed = s3.list_objects_v2(Bucket="rides", Prefix="scored/")["Contents"]
    assert [item["Key"].rpartition("/")[2] for item in listed] == FILES


def test_run_without_time_leaves_files_for_the_next(s3: "S3Client") -> None:
    """A file that could not be scored in time is not begun, and is named."""
    answer = ScheduledScoring.from_environ(os.environ).run({}, Remaining(0))

    assert (answer["scored"], answer["left"]) == ([], FILES)


def test_run_missing_month_is_named(s3: "S3Client") -> None:
    """As by the command."""
    with pytest.raises(TripsError, match=r"s3://rides/trips lacks green_tripdata_2021-04\.parquet"):
        ScheduledScoring.from_environ(os.environ).run({"to": "2021-04"}, Remaining(900))


def test_run_event_of_something_else_is_refused(s3: "S3Client") -> None:
    """A typing mistake in an invocation by hand does not score everything."""
    with pytest.raises(UsageError, match="the event has form; it may have from and to, or neither"):
        ScheduledScoring.from_environ(os.environ).run({"form": "2021-01"}, Remaining(900))


@pytest.mark.parametrize("event", [None, [], "2021-01"])
def test_run_event_that_is_no_object_is_refused(event: Any, s3: "S3Client") -> None:
    """Whatever an invocation by hand passes, the message says what it may be."""
    with pytest.raises(UsageError, match="the event is .*; it must be an object with from and to"):
        ScheduledScoring.from_environ(os.environ).run(event, Remaining(900))


def test_run_month_written_otherwise_is_named(s3: "S3Client") -> None:
    """With the field that it is in."""
    with pytest.raises(UsageError, match=r"from='202101' is not a month; it must be written as"):
        ScheduledScoring.from_environ(os.environ).run({"from": 202101}, Remaining(900))


def test_run_damaged_file_keeps_no_other_from_being_scored(s3: "S3Client") -> None:
    """The invocation fails, which rings, and names the file; all the others are scored."""
    s3.put_object(Bucket="rides", Key=f"trips/{FILES[0]}", Body=b"damaged")

    with pytest.raises(TripsError, match=f"{FILES[0]}: cannot be read as a Parquet file"):
        ScheduledScoring.from_environ(os.environ).run({}, Remaining(900))

    listed = s3.list_objects_v2(Bucket="rides", Prefix="scored/")["Contents"]
    assert [item["Key"].rpartition("/")[2] for item in listed] == FILES[1:]


@pytest.mark.parametrize("name", ["BATCH_INPUT", "BATCH_OUTPUT"])
def test_from_environ_missing_variable_is_named(
    name: str, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function does not start without its two places."""
    monkeypatch.delenv(name)

    with pytest.raises(UsageError, match=f"{name} is not set; it must be a folder or s3://"):
        ScheduledScoring.from_environ(os.environ)
