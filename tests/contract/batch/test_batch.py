"""The batch command with real files, S3 and models."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch.__main__ import main
from batch.batch_errors import OutputError
from batch.places import LocalTarget
from event_source_mapping.emulator import Emulator
from tests.commands import finished
from tests.conftest import PROJECT
from tests.trip_files import trips as trip_table
from tests.trip_files import write_trips

FILES = {
    "green_tripdata_2021-01.parquet": 400,
    "green_tripdata_2021-02.parquet": 300,
    "yellow_tripdata_2021-01.parquet": 200,
}


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    folder = tmp_path / "trips"
    for seed, (name, rows) in enumerate(FILES.items()):
        prefix = "lpep" if name.startswith("green") else "tpep"
        write_trips(folder, name, rows, seed, prefix=prefix)
    return folder


@pytest.fixture
def model(duration_model: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    location = str(duration_model["model_location"])
    monkeypatch.setenv("MODEL_LOCATION", location)
    return location


def score(trips: Path | str, output: Path | str, *more: str) -> int:
    # An ID of one's own is for a model of one's own place.
    named = ["--model-location", os.environ["MODEL_LOCATION"]] if "--run-id" in more else []
    return main(["score", "--input", str(trips), "--output", str(output), *named, *more])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_score_folder_every_row_is_in_its_partition(
    trips: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file has a scored one of as many rows; the summary has the errors of each month."""
    assert score(trips, tmp_path / "scored", "--run-id", "Test123") == 0

    found = {name.rpartition("/")[2]: name for name in contents(tmp_path / "scored")}
    assert found == {
        name: f"taxi_type={name.split('_')[0]}/year=2021/month={int(name[-10:-8])}/{name}"
        for name in FILES
    }
    table = pq.read_table(tmp_path / "scored")
    assert len(table) == sum(FILES.values())
    assert len(set(table["ride_id"].to_pylist())) == len(table)
    assert set(table["model_version"].to_pylist()) == {"Test123"}
    missing = table["predicted_minutes"].null_count
    assert missing == len(table["rejected"].drop_null()) > 0
    said = capsys.readouterr().out
    assert f"rejected: {missing} invalid_event" in said
    assert all(name in said for name in FILES)


def test_score_again_leaves_what_is_scored(
    trips: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run writes nothing, and says the same of each month."""
    score(trips, tmp_path / "scored")
    first, before = capsys.readouterr().out, contents(tmp_path / "scored")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "scored").rglob("*.parquet")}

    assert score(trips, tmp_path / "scored") == 0

    assert contents(tmp_path / "scored") == before
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert capsys.readouterr().out.replace("  scored before", "") == first


def test_score_run_is_not_made_up_for_the_model_of_a_folder(
    trips: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that is asked for is not a name for whatever model the shell's variable points to."""
    command = ["score", "--input", str(trips), "--output", str(tmp_path / "scored")]

    assert main([*command, "--run-id", "Other"]) == 1

    assert "unset MODEL_LOCATION for that run's model" in capsys.readouterr().err
    assert not (tmp_path / "scored").exists()


def test_score_changed_file_or_version_is_scored_again(
    trips: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was made of other rides, or by another version, does not count as done."""
    score(trips, tmp_path / "scored", "--run-id", "One")
    write_trips(trips, "green_tripdata_2021-01.parquet", 400, seed=9)
    capsys.readouterr()

    score(trips, tmp_path / "scored", "--run-id", "One")
    assert capsys.readouterr().out.count("scored before") == 2

    score(trips, tmp_path / "scored", "--run-id", "Two")
    assert "scored before" not in capsys.readouterr().out
    assert set(pq.read_table(tmp_path / "scored")["model_version"].to_pylist()) == {"Two"}


def run_killed(line: int, trips: Path, output: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["score", "--input", str(trips), "--output", str(output)]
    return finished(
        [
            sys.executable,
            str(PROJECT / "tests/contract/batch/kill_at_line.py"),
            str(line),
            *arguments,
        ],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )


def test_score_killed_anywhere_and_run_again_equals_an_undisturbed_run(
    trips: Path, tmp_path: Path, model: str
) -> None:
    """After SIGKILL at any line, files are whole or not there; the next run's are those of one."""
    undisturbed = run_killed(0, trips, tmp_path / "undisturbed")
    expected = contents(tmp_path / "undisturbed")
    lines = int(undisturbed.stderr.splitlines()[-1])
    assert len(expected) == len(FILES)
    random_line = random.Random(6)

    for number in range(6):
        output = tmp_path / f"killed-{number}"
        killed = run_killed(random_line.randint(1, lines), trips, output)

        assert killed.returncode == -signal.SIGKILL
        whole = {name: data for name, data in contents(output).items() if "/." not in name}
        assert whole.items() <= expected.items()
        # In this process: no line of it is killed.
        assert score(trips, output) == 0
        assert contents(output) == expected


def test_score_damaged_file_stops_there_and_keeps_what_is_done(
    trips: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the file; nothing of it is there, and the files before it are."""
    damaged = trips / "green_tripdata_2021-02.parquet"
    data = damaged.read_bytes()
    damaged.write_bytes(b"PAR1" + bytes(len(data) // 2) + data[4 + len(data) // 2 :])

    assert score(trips, tmp_path / "scored") == 1

    said = capsys.readouterr()
    assert "green_tripdata_2021-02.parquet: cannot be read as a Parquet file" in said.err
    assert list(contents(tmp_path / "scored")) == [
        "taxi_type=green/year=2021/month=1/green_tripdata_2021-01.parquet"
    ]


def test_score_column_that_is_missing_is_named(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file, and the columns that are there."""
    path = write_trips(tmp_path, "green_tripdata_2021-01.parquet", 5)
    pq.write_table(pq.read_table(path).drop_columns(["DOLocationID"]), path)

    assert score(path, tmp_path / "scored") == 1

    assert (
        "green_tripdata_2021-01.parquet: there is no column DOLocationID, which must hold TLC zone "
        "IDs: whole numbers, as integers, floats or strings; there are lpep_pickup_datetime, "
    ) in capsys.readouterr().err


def test_score_column_that_is_there_twice_is_named(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which of the two counts is not guessed."""
    table = trip_table(5, seed=1)
    path = tmp_path / "green_tripdata_2021-01.parquet"
    pq.write_table(table.append_column("trip_distance", table["trip_distance"]), path)

    assert score(path, tmp_path / "scored") == 1

    said = capsys.readouterr().err
    assert f"{path.name}: trip_distance is there more than once; it must be there once" in said


def test_score_never_writes_over_what_it_did_not_write(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trips themselves may be where their scored file would go: they stay, and are named."""
    partition = tmp_path / "taxi_type=green/year=2021/month=1"
    path = write_trips(partition, "green_tripdata_2021-01.parquet", 5)
    trips = path.read_bytes()

    assert score(path, tmp_path) == 1

    assert f"{path} is not a scored file (it does not say what it was" in capsys.readouterr().err
    assert contents(tmp_path) == {str(path.relative_to(tmp_path)): trips}


def test_score_never_writes_over_an_object_that_it_did_not_write(
    trips: Path, model: str, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """In S3, too, what has no manifest stays as it is."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="rides")
    key = "taxi_type=green/year=2021/month=1/green_tripdata_2021-01.parquet"
    s3.put_object(Bucket="rides", Key=key, Body=b"mine")

    assert score(trips, "s3://rides") == 1

    assert f"s3://rides/{key} is not a scored file" in capsys.readouterr().err
    assert s3.get_object(Bucket="rides", Key=key)["Body"].read() == b"mine"


def test_writing_while_another_run_writes_the_same_says_so(tmp_path: Path) -> None:
    """The run that began first is told why it lost its file; the other one's is whole."""
    target = LocalTarget(tmp_path)

    def both() -> None:
        with target.writing("scored.parquet"), target.writing("scored.parquet") as second:
            second.write_bytes(b"second")

    with pytest.raises(OutputError, match=r"scored\.parquet is being written by another run"):
        both()
    assert contents(tmp_path) == {"scored.parquet": b"second"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", ""], "--input is empty; it must be a path or s3://bucket/prefix"),
        (["--output", ""], "--output is empty; it must be a path or s3://bucket/prefix"),
        (["--input", "nowhere"], "nowhere is not there; name a file or a folder of trips"),
        (["--from", "2020-12"], "lacks green_tripdata_2020-12.parquet, yellow_tripdata_2020-12"),
        (["--to", "2021-2"], "--to='2021-2' is not a month; it must be written as 2021-01"),
        (["--from", ""], "--from='' is not a month; it must be written as 2021-01"),
        (["--output", "s3://"], "'s3://' is not allowed; it must be s3://bucket or"),
        (["--model-location", ""], "--run-id (RUN_ID) is not set; set it to the MLflow run"),
        (["--run-id", "a/b"], "--run-id (RUN_ID)='a/b' is not allowed"),
    ],
)
def test_score_wrong_option_is_named(
    trips: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line with the option or variable, its value and what is allowed; nothing is written."""
    for name in ("RUN_ID", "MODEL_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    if "--model-location" not in arguments:
        monkeypatch.setenv("MODEL_LOCATION", "models")

    assert score(trips, tmp_path / "scored", *arguments) == 1

    assert message in capsys.readouterr().err
    assert not (tmp_path / "scored").exists()


def test_score_model_of_tips_is_refused(
    trips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dollars are not compared with minutes."""
    monkeypatch.setenv("MODEL_LOCATION", "models")
    monkeypatch.setenv("PREDICTION_FIELD", "ride_tip")

    assert score(trips, tmp_path / "scored") == 1

    assert "PREDICTION_FIELD='ride_tip' is not allowed" in capsys.readouterr().err


def test_score_from_s3_to_s3_writes_what_folders_get(
    trips: Path, tmp_path: Path, model: str, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes, by AWS_ENDPOINT_URL; a second run finds them done."""
    score(trips, tmp_path / "scored")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="rides")
    for name in FILES:
        s3.upload_file(str(trips / name), "rides", f"trips/{name}")

    assert score("s3://rides/trips", "s3://rides/scored/") == 0
    objects = {
        item["Key"].removeprefix("scored/"): s3.get_object(Bucket="rides", Key=item["Key"])
        for item in s3.list_objects_v2(Bucket="rides", Prefix="scored/")["Contents"]
    }
    read = {key: pq.read_table(pa.BufferReader(o["Body"].read())) for key, o in objects.items()}
    assert read == {
        key: pq.read_table(tmp_path / "scored" / key, partitioning=None)
        for key in contents(tmp_path / "scored")
    }

    capsys.readouterr()
    assert score("s3://rides/trips/green_tripdata_2021-01.parquet", "s3://rides/scored") == 0
    assert capsys.readouterr().out.count("scored before") == 1


def test_score_bucket_that_is_not_there_is_named(
    model: str, aws: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the URI and what to check."""
    assert score("s3://nobodys/trips", tmp_path) == 1

    assert "s3://nobodys/trips/ cannot be read (" in capsys.readouterr().err
