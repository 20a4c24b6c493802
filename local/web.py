"""`make web`: the web service on this machine, until Ctrl-C.

It serves the model that `MODEL_URI`, `MODEL_LOCATION` or `RUN_ID` names, or trains a sample.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cli.terminal import say_lines
from local.sample_models import PROJECT, run_training, stop_on_signals
from streams.errors import SettingsError
from web_service.settings import WebSettings

_MODELS = ("MODEL_URI", "MODEL_LOCATION", "RUN_ID")
# What else describes a model that the user names; none of it holds for the sample.
_OF_A_MODEL = (
    "MODEL_BUCKET", "MODEL_SHA256", "MODEL_NAME", "MLFLOW_EXPERIMENT_ID", "PREDICTION_FIELD"
)  # fmt: skip


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    stop_on_signals()
    environ = {**os.environ, **_port()}
    with tempfile.TemporaryDirectory() as folder:
        try:
            _require_free(WebSettings.from_environ(environ))
            if not any(environ.get(name) for name in _MODELS):
                environ = _without_model(environ) | _sample_model(Path(folder))
            return _serve(environ)
        except SettingsError as error:
            say_lines(f"web_service: error: {error}")
            return 1
        except KeyboardInterrupt:
            say_lines("stopped")
            return 0


def _port() -> dict[str, str]:
    parser = argparse.ArgumentParser(
        prog="make web", usage="make web [PORT=N]", description=__doc__
    )
    parser.add_argument("--port", help="where to listen")
    port = parser.parse_args().port
    return {} if port is None else {"PORT": port}


def _require_free(settings: WebSettings) -> None:
    """Try to bind where the service will: gunicorn tries for seconds, and after the training.

    Raises:
        SettingsError: That is not possible.
    """
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # As gunicorn does, so that connections that have just ended are not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.address, settings.port))
    except OSError as error:
        raise SettingsError(
            f"cannot listen at PORT={settings.port} of BIND_ADDRESS={settings.address}: "
            f"{error.strerror}; choose another port, as in 'make web PORT=9697', or address"
        ) from None


def _without_model(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that do not describe a model; they would describe another one."""
    left_out = [name for name in _OF_A_MODEL if environ.get(name)]
    if left_out:
        say_lines(f"not used for the sample model: {', '.join(left_out)}")
    return {name: value for name, value in environ.items() if name not in _OF_A_MODEL}


def _sample_model(folder: Path) -> dict[str, str]:
    """Train a model; the variables that name it."""
    say_lines("training the sample model ...")
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
