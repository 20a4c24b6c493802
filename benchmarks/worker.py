"""A process that holds one way of predicting, and times it when it is asked to.

A process each, as on Lambda: mlflow's hundreds of modules in the product's process would slow its
garbage collection. They take turns, for the parent asks one at a time. It speaks JSON, a line a
request and a line an answer.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.events import kinesis_events
from benchmarks.memory import resident_mib
from benchmarks.results import Way
from benchmarks.ways import CREDENTIALS, LEAST_PART, Handle, handler

PROJECT = Path(__file__).parent.parent

_FORGOTTEN = (
    "AGGREGATE_",
    "ALLOW_",
    "AWS_",
    "KINESIS_",
    "MODEL_",
    "MLFLOW_",
    "PREDICTION",
    "PYTHONDONTWRITEBYTECODE",  # an image has bytecode
    "RUN_ID",
    "TEST_RUN",
)
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
_PROBED = 5


class Job(Struct, frozen=True):
    """What a worker is to hold.

    Attributes:
        way: How it predicts.
        model: Folder of the model.
        endpoint: Where it puts predictions; None puts none.
        rides: File of rides, see `benchmarks.events`.
    """

    way: Way
    model: str
    endpoint: str | None
    rides: str


class Request(Struct, frozen=True):
    """Handle batches one after the other for some time, or some number of them.

    Attributes:
        batch: Rides of a batch.
        seconds: How long; at least one batch is handled.
        batches: How many at least.
    """

    batch: int
    seconds: float
    batches: int = 1


class Sample(Struct, frozen=True):
    """What came of it.

    Attributes:
        rides: So many were predicted,
        seconds: in so much time.
        event: Rides of an event.
        resident_mib: Resident memory of the process at the end.
    """

    rides: int
    seconds: float
    event: int
    resident_mib: float

    @property
    def microseconds(self) -> float:
        """A ride."""
        return self.seconds / self.rides * 1e6


class Worker(AbstractContextManager["Worker"]):
    """A worker's process, from outside; it is up when it is made."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", msgspec.json.encode(job).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environ(),
        )
        self._read()

    def begin(self, request: Request) -> None:
        """Have it begin; `finish` waits for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(request) + b"\n")
        self._process.stdin.flush()

    def finish(self) -> Sample:
        """Wait for what it was to do."""
        return msgspec.json.decode(self._read(), type=Sample)

    def sample(self, request: Request) -> Sample:
        """Have it handle batches, and wait for that."""
        self.begin(request)
        return self.finish()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends with its input

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise RuntimeError(f"the process of {self.job.way} ended; see its error above")
        return line


def worker_environ() -> dict[str, str]:
    """This shell's variables, without those that lead to an AWS account, a proxy or a model.

    Nor with the one that keeps Python from writing bytecode, which an image has of all modules.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FORGOTTEN) and not name.lower().endswith("_proxy")
    }
    # One thread on every side, also where there is no n_jobs: boosted trees use OpenMP.
    return {**kept, **CREDENTIALS, **_QUIET, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}


class _Timer:
    """Times one way; batches of a size are made when it is first asked for.

    Args:
        handle: The way.
        rides: File of rides.
        least_part: How few rides stand for a batch that takes too long; None cuts no batch.
    """

    def __init__(self, handle: Handle, rides: Path, least_part: int | None) -> None:
        self._handle = handle
        self._rides = rides
        self._least_part = least_part
        self._events: dict[int, Sequence[Any]] = {}

    def sample(self, request: Request) -> Sample:
        events = self._events.get(request.batch)
        if events is None:
            events = self._events[request.batch] = self._prepare(request)
        rides = 0
        seconds = 0.0
        start = time.perf_counter()
        for batches, event in enumerate(cycle(events), start=1):
            self._handle(event)
            rides += len(event["Records"])
            seconds = time.perf_counter() - start
            if seconds >= request.seconds and batches >= request.batches:
                break
        return Sample(rides, seconds, len(events[0]["Records"]), resident_mib())

    def _prepare(self, request: Request) -> Sequence[Any]:
        """Events of that size, the first of which was handled, so that nothing is done first."""
        batch = request.batch
        if self._least_part is not None:
            batch = min(batch, max(self._least_part, self._fitting(request.seconds)))
        events = kinesis_events(self._rides, batch)
        self._handle(events[0])
        return events

    def _fitting(self, seconds: float) -> int:
        """How many rides a record at a time fit into so much time."""
        (event, *_) = kinesis_events(self._rides, _PROBED)
        self._handle(event)
        start = time.perf_counter()
        self._handle(event)
        per_ride = (time.perf_counter() - start) / _PROBED
        return int(seconds / per_ride)


def main() -> None:
    """Take requests until there are no more."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # MLflow prints
    job = msgspec.json.decode(sys.argv[1], type=Job)
    timer = _Timer(
        handler(job.way, Path(job.model), job.endpoint),
        Path(job.rides),
        LEAST_PART.get(job.way),
    )
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        sample = timer.sample(msgspec.json.decode(line, type=Request))
        print(msgspec.json.encode(sample).decode(), file=answers, flush=True)


if __name__ == "__main__":
    main()
