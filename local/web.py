"""`make web`: the web service on this machine, until Ctrl-C.

It serves the model that `MODEL_URI`, `MODEL_LOCATION` or `RUN_ID` names, or trains a sample.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from local.stack import PROJECT, run_training, stop_on_signals
from local.terminal import say

_MODELS = ("MODEL_URI", "MODEL_LOCATION", "RUN_ID")


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    stop_on_signals()
    environ = {**os.environ, **_port()}
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not any(environ.get(name) for name in _MODELS):
                environ |= _sample_model(Path(folder))
            return _serve(environ)
        except KeyboardInterrupt:
            say("stopped")
            return 0


def _port() -> dict[str, str]:
    parser = argparse.ArgumentParser(
        prog="make web", usage="make web [PORT=N]", description=__doc__
    )
    parser.add_argument("--port", help="where to listen")
    port = parser.parse_args().port
    return {} if port is None else {"PORT": port}


def _sample_model(folder: Path) -> dict[str, str]:
    """Train a model; the variables that name it."""
    say("training the sample model ...")
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLFLOW_", "MODEL_"))
    }
    result = run_training(clean, folder=folder)
    return {"MODEL_LOCATION": result["model_location"]}


def _serve(environ: Mapping[str, str]) -> int:
    settings = "python:web_service.gunicorn_conf"
    command = [sys.executable, "-m", "gunicorn", "--config", settings, "web_service.wsgi:app"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=PROJECT, env=environ
    ) as server:
        try:
            return server.wait()
        except KeyboardInterrupt:
            server.terminate()
            raise


if __name__ == "__main__":
    sys.exit(main())
