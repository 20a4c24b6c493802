"""A tracking server of MLflow's own, with a registry, and runs that it knows."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from event_source_mapping.emulator import Endpoint
from local.sample_models import MODEL_BUCKET, PROJECT, run_training
from tests.polling import until

NAME = "ride-duration"
ALIAS = "production"


@dataclass(frozen=True, slots=True)
class Tracking:
    """A running server, and what finds it."""

    url: str
    emulator: Endpoint
    environ: dict[str, str]

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(tracking_uri=self.url, registry_uri=self.url)

    def train(self, *options: str) -> dict[str, Any]:
        """Train a model, whose files are in S3; what training says of it."""
        return run_training({**os.environ, **self.environ}, "--rides", "1000", *options)

    def register(self, location: str, run_id: str | None) -> str:
        """Make a version of the registered model; gives its number."""
        client = self.client
        if not client.search_registered_models(f"name='{NAME}'"):
            client.create_registered_model(NAME)
        return str(client.create_model_version(NAME, location, run_id).version)

    def point(self, number: str) -> None:
        """Have the alias stand for a version."""
        self.client.set_registered_model_alias(NAME, ALIAS, number)

    def hand_out(self, folder: str) -> tuple[str, str]:
        """Put a model where only the server can read it; gives its URI and its run."""
        client = self.client
        found = client.get_experiment_by_name("handed-out")
        experiment = (
            found.experiment_id
            if found
            else client.create_experiment("handed-out", "mlflow-artifacts:/handed-out")
        )
        run = client.create_run(experiment)
        client.log_artifacts(run.info.run_id, folder, "model")
        return f"{run.info.artifact_uri}/model", run.info.run_id


EMULATOR = """
import sys
from event_source_mapping.emulator import Emulator

with Emulator() as emulator:
    print(emulator.endpoint, flush=True)
    sys.stdin.read()
"""


@contextmanager
def emulator_process() -> Iterator[Endpoint]:
    """AWS's APIs in another process, because tests in this one reset moto's state."""
    with subprocess.Popen(
        [sys.executable, "-c", EMULATOR],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield Endpoint(process.stdout.readline().strip())
        process.communicate("", timeout=60)


@contextmanager
def tracking(folder: Path, emulator: Endpoint) -> Iterator[Tracking]:
    """The server, up until the end of the block."""
    emulator.client("s3").create_bucket(Bucket=MODEL_BUCKET)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--default-artifact-root", f"s3://{MODEL_BUCKET}"),
        *("--serve-artifacts", "--artifacts-destination", str(folder / "handed-out")),
    ]
    environ = {**os.environ, **emulator.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=PROJECT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: server.poll() is not None or _answers(url), 120, every=0.1)
        assert server.poll() is None, (folder / "mlflow.log").read_text()
        models = {"MODEL_BUCKET": MODEL_BUCKET, "MLFLOW_TRACKING_URI": url}
        yield Tracking(url, emulator, {**emulator.environ, **models})
    finally:
        server.terminate()
        server.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False
