"""The function in the Lambda runtime, as a user who may write to a temporary folder and no more."""

import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness.host import RUNTIME_PYTHON, assemble
from harness.rie import Rie

from event_source_mapping.emulator import Emulator
from event_source_mapping.runtime import RuntimeFunction
from streams.fakes import kinesis_event
from tests.conftest import PROJECT
from tests.s3_folders import upload

HOOK = PROJECT / "tests/e2e/read_only"
NOBODY = 65534
RUN = "Test123"
RIDE = {"PULocationID": 130, "DOLocationID": 205, "trip_distance": 3.66}


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everyone may read, with one in it that everyone may write to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        yield folder


@contextmanager
def runtime(place: Path, environ: Mapping[str, str]) -> Iterator[RuntimeFunction]:
    """What is in the folder `task`, in the Lambda runtime, on a file system to be read only."""
    log = place / "log"
    ours = {
        "HOME": str(place / "task"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HOOK),
        "TMPDIR": str(place / "tmp"),
    }
    function = Rie(RUNTIME_PYTHON, place / "task", {**ours, **environ}, log, as_nobody())
    function.start()
    try:
        yield function.runtime
    finally:
        function.stop()
        sys.stdout.write(log.read_text(errors="replace"))  # pytest shows it if the test fails


def as_nobody() -> list[str]:
    """What a command begins with that root is not to run as root."""
    if os.geteuid() != 0:
        return []
    # Root's own Python may be where nobody else may look: then it may look, and still not write.
    needed = (RUNTIME_PYTHON, RUNTIME_PYTHON.resolve(), Rie.PROGRAM, HOOK)
    hidden = any(not parent.stat().st_mode & 0o001 for path in needed for parent in path.parents)
    kept = "-all,+dac_read_search" if hidden else "-all"
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *ids, f"--inh-caps={kept}", f"--ambient-caps={kept}"]


def test_function_predicts_where_it_may_write_to_tmp_alone(
    place: Path, duration_model: dict[str, Any]
) -> None:
    """A model from S3, a prediction and a rejection want no file but in the temporary folder."""
    assemble(place / "task")
    with Emulator() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="models")
        model = Path(duration_model["model_location"])
        upload(s3, model, "models", f"1/{RUN}/artifacts/model")
        s3.create_bucket(Bucket="failures")
        aws.client("kinesis").create_stream(StreamName="ride_predictions", ShardCount=1)
        names = {"RUN_ID": RUN, "MODEL_BUCKET": "models", "FAILURES_BUCKET": "failures"}
        pinned = {"MODEL_SHA256": duration_model["model_sha256"]}
        good = json.dumps({"ride": RIDE, "ride_id": 256}).encode()

        with runtime(place, {**aws.environ, **names, **pinned}) as function:
            answer = function.invoke(kinesis_event([good, b"bad"]))

        assert answer["batchItemFailures"] == []
        assert [event["version"] for event in answer["predictions"]] == [RUN]
        assert s3.list_objects_v2(Bucket="failures")["KeyCount"] == 1
    assert list((place / "tmp").rglob("model-*/MLmodel"))


WRITER = """
import os

def lambda_handler(event, context):
    return {"user": os.geteuid(), "errors": [error(path) for path in event["paths"]]}

def error(path):
    try:
        with open(path, "w"):
            return None
    except OSError as error:
        return error.errno
"""


def test_function_that_writes_elsewhere_would_fail(place: Path) -> None:
    """What the test above runs on: not root, and a read-only file system but for one folder."""
    (place / "task").mkdir()
    (place / "task/lambda_function.py").write_text(WRITER)
    (place / "task").chmod(0o777)
    paths = [place / "tmp/a", Path("a"), place / "a", Path("/var/tmp/a"), place / "tmp/../a"]

    with runtime(place, {}) as function:
        answer = function.invoke({"paths": [str(path) for path in paths]})

    assert answer["user"] != 0
    assert answer["errors"] == [None, *[errno.EROFS] * 4]
