"""The web service compared with a Flask view that predicts one ride through mlflow.pyfunc.

Both run under the same gunicorn settings and serve the same run. They take turns under the same
load, and the figures are medians over rounds. Ratios hold from machine to machine, milliseconds
do not.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec
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
# Far longer than a server needs, even on a busy machine.
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Case:
    """A body that is posted to one server, and a figure of each kind for each round."""

    name: str
    port: int
    body: bytes
    rides: int
    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        """Post for some seconds; keep requests a second and milliseconds of a request."""
        ends = time.perf_counter() + seconds
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            clients = [pool.submit(post, self.port, self.body, ends) for _ in range(CONNECTIONS)]
            latencies = [1000 * latency for client in clients for latency in client.result()]
        cuts = statistics.quantiles(latencies, n=100)
        self.rates.append(len(latencies) / seconds)
        self.p50.append(cuts[49])
        self.p99.append(cuts[98])


def main() -> None:
    """Train, serve in both ways, measure, and print a table for each kind of model."""
    rides = make_rides(RIDES)
    for kind, fitted in (("ridge", _ridge), ("forest", _course_forest)):
        print(f"training a {kind} model ...", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
            model = save(fitted(rides.train), rides.held_out[:LIST], Path(folder) / "model")
            location = str(model.folder)
            view = "benchmarks.reference_view"
            reference = running.enter_context(_serve(location, view, f"{view}:app"))
            service = running.enter_context(
                _serve(location, "web_service.gunicorn_conf", "web_service.wsgi:app")
            )
            _compare(kind, reference, service)


def _ridge(examples: Examples) -> Pipeline:
    return fit(examples, Kind.RIDGE)


def _course_forest(examples: Examples) -> Pipeline:
    """Fit a forest over one-hot zones, as the course does; training here uses target encoding."""
    forest = RandomForestRegressor(**Kind.FOREST.parameters, n_jobs=-1)
    pipeline = make_pipeline(DictVectorizer(), forest)
    return pipeline.fit(inputs(pipeline, examples.rides), examples.labels)


@contextmanager
def _serve(location: str, config: str, app: str) -> Iterator[int]:
    """Run a server until the end of the block, and return its port."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "MODEL_LOCATION": location,
        "PORT": "0",
        "WEB_CONCURRENCY": str(PROCESSES),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", f"python:{config}", app]
    with tempfile.NamedTemporaryFile() as output:
        server = subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=output, stderr=output)
        try:
            yield port_of(server, Path(output.name))
        finally:
            server.terminate()
            server.wait()


def port_of(server: "subprocess.Popen[bytes]", log: Path, seconds: float = START_SECONDS) -> int:
    """Wait until a server listens, and return its port.

    Args:
        server: gunicorn's process.
        log: What it prints.
        seconds: How long to wait.

    Raises:
        RuntimeError: It ended or does not listen in time; the message has what it printed.
    """
    ends = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < ends:
        if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    raise RuntimeError(
        f"the server does not listen: status={server.poll()}; it printed:\n{log.read_text()}"
    )


def post(port: int, body: bytes, ends: float) -> Sequence[float]:
    """Post a body over one connection until a time, and return the seconds of each request.

    A bare socket, because an HTTP client would take as long as the server that it measures.
    """
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Content-Type: application/json\r\n\r\n".encode() + body
    latencies = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        responses = connection.makefile("rb")
        while (start := time.perf_counter()) < ends:
            connection.sendall(request)
            _read(responses)
            latencies.append(time.perf_counter() - start)
    return latencies


def _read(responses: BinaryIO) -> None:
    status = responses.readline()
    if not status.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the request failed: status={status!r}; expected 200")
    headers = dict(line.lower().split(b":", 1) for line in iter(responses.readline, b"\r\n"))
    responses.read(int(headers[b"content-length"]))


def _compare(kind: str, reference: int, service: int) -> None:
    rides = [one.ride for one in synthetic_rides(LIST, seed=7)]
    single, many = msgspec.json.encode(rides[0]), msgspec.json.encode(rides)
    cases = [
        Case("reference, one ride", reference, single, 1),
        Case("web service, one ride", service, single, 1),
        Case(f"web service, {LIST} rides", service, many, LIST),
    ]
    for case in cases:
        post(case.port, case.body, time.perf_counter() + 1)  # warms up
    for _ in range(ROUNDS):
        for case in cases:
            case.measure(SECONDS)
    print(f"{kind:<24}{'requests/s':>11}{'rides/s':>10}{'p50 ms':>9}{'p99 ms':>9}  a ride")
    for case in cases:
        rate, p50, p99 = (statistics.median(found) for found in (case.rates, case.p50, case.p99))
        faster = rate * case.rides / statistics.median(cases[0].rates)
        print(
            f"{case.name:<24}{rate:>11.1f}{rate * case.rides:>10.0f}{p50:>9.2f}{p99:>9.2f}"
            f"  {faster:.1f} times as fast"
        )


if __name__ == "__main__":
    main()
