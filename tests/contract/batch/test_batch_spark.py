"""The scoring function on Spark: pyspark and a Java of .tools/spark, submitted as to a cluster."""

import os
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from batch.__main__ import main
from tests.commands import finished
from tests.conftest import PROJECT
from tests.trip_files import write_trips

SPARK = PROJECT / ".tools/spark"
# Nothing listens but on the loopback interface.
LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
}


def run(
    command: Sequence[str | Path], folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name != "SPARK_HOME"}
    spark = {"JAVA_HOME": str(SPARK / "java"), "SPARK_LOCAL_IP": "127.0.0.1"}
    return finished(command, cwd=folder, env={**own, **spark, **variables})


def submit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """spark-submit, with this project's code in a zip as a cluster's workers get it."""
    code = folder / "code.zip"
    with zipfile.ZipFile(code, "w") as archive:
        for package in ("batch", "tlc", "model_service", "streams"):
            for path in (PROJECT / package).rglob("*.py"):
                archive.write(path, path.relative_to(PROJECT))
    command: list[str | Path] = [
        SPARK / "bin/spark-submit",
        *("--master", "local[2]", "--py-files", code),
        *(word for key, value in LOCAL.items() for word in ("--conf", f"{key}={value}")),
        PROJECT / "batch/spark.py",
    ]
    programs = f"{SPARK / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return run(
        [*command, *arguments], folder, PATH=programs, PYSPARK_PYTHON=str(SPARK / "bin/python")
    )


def drive(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The driver itself, which starts its own Java.

    Through spark-submit, what it says is copied by a thread that nobody waits for at the end
    (Spark's PythonRunner), so some of it can be lost.
    """
    confs = " ".join(f"--conf {key}={value}" for key, value in LOCAL.items())
    return run(
        [SPARK / "bin/python", "-m", "batch.spark", *arguments],
        folder,
        PYTHONPATH=str(PROJECT),
        PYSPARK_SUBMIT_ARGS=f"--master local[2] {confs} pyspark-shell",
    )


def test_spark_column_that_is_missing_is_named(
    tmp_path: Path, duration_model: Mapping[str, Any]
) -> None:
    """With its file and the columns that are there, as on one machine; nothing is written."""
    trips, scored = tmp_path / "trips", tmp_path / "scored"
    write_trips(trips, "green_tripdata_2021-01.parquet", 5)
    path = write_trips(trips, "green_tripdata_2021-02.parquet", 5)
    pq.write_table(pq.read_table(path).drop_columns(["DOLocationID"]), path)
    model = ["--model-location", str(duration_model["model_location"]), "--run-id", "Test123"]

    done = drive(tmp_path, "--input", str(trips), "--output", str(scored), *model)

    assert done.returncode == 1, done.stderr
    assert (
        "green_tripdata_2021-02.parquet: there is no column DOLocationID, which must hold TLC zone "
        "IDs: whole numbers, as integers, floats or strings; there are lpep_pickup_datetime, "
    ) in done.stderr
    assert "Traceback" not in done.stderr
    assert not scored.exists()


def test_spark_scores_what_one_machine_scores(
    tmp_path: Path, duration_model: Mapping[str, Any]
) -> None:
    """The same rows, IDs and minutes, in the same partitions."""
    trips = tmp_path / "trips"
    write_trips(trips, "green_tripdata_2021-01.parquet", 500, 1, PULocationID=["43"] * 500)
    write_trips(trips, "yellow_tripdata_2021-02.parquet", 300, 2, prefix="tpep")
    model = ["--model-location", str(duration_model["model_location"]), "--run-id", "Test123"]
    alone, spark = tmp_path / "alone", tmp_path / "spark"
    assert main(["score", "--input", str(trips), "--output", str(alone), *model]) == 0

    done = submit(tmp_path, "--input", str(trips), "--output", str(spark), *model)

    assert done.returncode == 0, done.stderr

    expected, found = (pq.read_table(folder).sort_by("ride_id") for folder in (alone, spark))
    assert found.replace_schema_metadata().equals(expected.replace_schema_metadata())
