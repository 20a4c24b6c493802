"""The web service as its users meet it: gunicorn, in processes of its own, on a free port."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT
from tests.polling import until

RIDE = {"PULocationID": 10, "DOLocationID": 50, "trip_distance": 40}
EVENT = {"ride": RIDE, "ride_id": 256}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Web:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str, method: str = "GET") -> Answer:
        return self._ask(method, path)

    def post(self, document: Any, content_type: str | None = "application/json") -> Answer:
        """Post to /predict: bytes as they are, anything else as JSON."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {} if content_type is None else {"Content-Type": content_type}
        return self._ask("POST", "/predict", body, headers)

    def _ask(self, method: str, path: str, body: Any = None, headers: Any = None) -> Answer:
        with closing(self.connect()) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())


def environ(**variables: str) -> dict[str, str]:
    """A shell's variables without a model's, and these."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "MODEL_", "RUN_ID", "WEB_", "GUNICORN_"))
    }
    return {**own, "PORT": "0", "AWS_EC2_METADATA_DISABLED": "true", **variables}


def start(log: Path, **variables: str) -> subprocess.Popen[bytes]:
    """Start the service; all that it says goes to a file."""
    settings = "python:web_service.gunicorn_conf"
    command = [sys.executable, "-m", "gunicorn", "--config", settings, "web_service.wsgi:app"]
    with log.open("wb") as output:
        return subprocess.Popen(
            command, cwd=PROJECT, env=environ(**variables), stdout=output, stderr=output
        )


@contextmanager
def serving(folder: Path, **variables: str) -> Iterator[Web]:
    """The service, up and ready, until the end of the block."""
    log = folder / "web.log"
    process = start(log, **variables)
    try:
        until(lambda: b"Listening at" in log.read_bytes() or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        (port,) = re.findall(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text())
        yield Web(process, int(port), log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
