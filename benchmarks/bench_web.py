"""The web service beside a Flask view that predicts one ride through mlflow.pyfunc.

Both run under the same gunicorn settings, and serve the same run. They take turns under the same
load; the figures are medians over rounds. Ratios hold from machine to machine, milliseconds do not.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.bench_rides import make_rides
from benchmarks.models import save
from local.sample_models import PROJECT
from training.examples import Examples
from training.kinds import Kind
from training.model import fit, inputs
from training.synthetic import synthetic_rides

RIDES = 20_000
LIST = 100
CONNECTIONS = 4
SECONDS = 3
ROUNDS = 5
PROCESSES = 2
# Far longer than a server takes to listen, on a busy machine, too.
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Round:
    """Requests by second, and milliseconds that half and 99 in 100 of them took at most."""

    rate: float
    p50: float
    p99: float


def main() -> None:
    """Train, serve both ways, measure, and print a table for each kind of model."""
    rides = make_rides(RIDES)
    for kind, fitted in (("ridge", _ridge), ("forest", _course_forest)):
        print(f"training a {kind} model ...", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            model = save(fitted(rides.train), rides.held_out[:LIST], Path(folder) / "model")
            location = str(model.folder)
            with (
                _serve(Path(folder), location, "reference_gunicorn", "reference") as reference,
                _serve(Path(folder), location, None, "web_service") as service,
            ):
                _compare(kind, reference, service)


def _ridge(examples: Examples) -> Pipeline:
    return fit(examples, Kind.RIDGE)


def _course_forest(examples: Examples) -> Pipeline:
    """Over one-hot zones, as the course has it; training here encodes them by their rides' mean."""
    forest = RandomForestRegressor(**Kind.FOREST.parameters, n_jobs=-1)
    pipeline = make_pipeline(DictVectorizer(), forest)
    return pipeline.fit(inputs(pipeline, examples.rides), examples.labels)


def _clean() -> dict[str, str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLFLOW_", "MODEL_", "RUN_ID", "GUNICORN_"))
    }
    return {**environ, "PYTHONPATH": str(PROJECT)}


@contextmanager
def _serve(folder: Path, location: str, settings: str | None, name: str) -> Iterator[int]:
    """Run one of the two until the end of the block; gives its port."""
    config = f"benchmarks.{settings}" if settings else "web_service.gunicorn_conf"
    app = "benchmarks.reference_view:app" if settings else "web_service.wsgi:app"
    variables = {"MODEL_LOCATION": location, "PORT": "0", "WEB_CONCURRENCY": str(PROCESSES)}
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", f"python:{config}", app],
            cwd=PROJECT,
            env={**_clean(), **variables},
            stdout=output,
            stderr=output,
        )
    try:
        yield port_of(server, log)
    finally:
        server.terminate()
        server.wait()


def port_of(server: "subprocess.Popen[bytes]", log: Path, seconds: float = START_SECONDS) -> int:
    """The port that a server has come to listen on.

    Args:
        server: gunicorn's process.
        log: What it prints.
        seconds: How long to wait for it.

    Raises:
        RuntimeError: It ended, or it does not listen by then; the message has what it printed.
    """
    ends = time.monotonic() + seconds
    while True:
        status = server.poll()
        said = log.read_text()
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", said)
        if found:
            return int(found[1])
        if status is not None:
            raise RuntimeError(f"the server ended with status {status}; it said:\n{said}")
        if time.monotonic() >= ends:
            raise RuntimeError(
                f"the server does not listen after {seconds:g} seconds; it said:\n{said}"
            )
        time.sleep(0.1)


def _compare(kind: str, reference: int, service: int) -> None:
    rides = [_document(one.ride) for one in synthetic_rides(LIST, seed=7)]
    single, many = json.dumps(rides[0]).encode(), json.dumps(rides).encode()
    ways = {
        "reference, one ride": (reference, single, 1),
        "web service, one ride": (service, single, 1),
        f"web service, {LIST} rides": (service, many, LIST),
    }
    for port, body, _ in ways.values():
        _measure(port, body, 1)  # warms up
    rounds: dict[str, list[Round]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (port, body, _) in ways.items():
            rounds[name].append(_measure(port, body, SECONDS))
    _report(kind, rounds, [count for _, _, count in ways.values()])


def _document(ride: Any) -> dict[str, Any]:
    return {name: getattr(ride, name) for name in ride.__struct_fields__}


def _measure(port: int, body: bytes, seconds: float) -> Round:
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(command, cwd=PROJECT, input=body, capture_output=True, check=True)
    result = json.loads(done.stdout)
    latencies = sorted(1000 * latency for latency in result["latencies"])
    return Round(
        rate=len(latencies) / result["seconds"],
        p50=latencies[len(latencies) // 2],
        p99=latencies[len(latencies) * 99 // 100],
    )


def _report(kind: str, rounds: dict[str, list[Round]], counts: Sequence[int]) -> None:
    print(f"{kind:<24}{'requests/s':>11}{'rides/s':>10}{'p50 ms':>9}{'p99 ms':>9}  a ride")
    first: float | None = None
    for (name, measured), count in zip(rounds.items(), counts, strict=True):
        rate = statistics.median(one.rate for one in measured)
        p50 = statistics.median(one.p50 for one in measured)
        p99 = statistics.median(one.p99 for one in measured)
        first = first or rate
        print(
            f"{name:<24}{rate:>11.1f}{rate * count:>10.0f}{p50:>9.2f}{p99:>9.2f}"
            f"  {rate * count / first:.1f} times as fast"
        )


if __name__ == "__main__":
    main()
