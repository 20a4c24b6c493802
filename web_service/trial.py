"""Loads a model in another process, before one that answers requests loads it.

A limit on memory holds for a whole process, so requests could fail while a model is loaded within
one. A model that crashes the process that loads it fails no request either.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path

from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import load_predictor
from streams.errors import brief

_MAX_REASON_CHARACTERS = 1000


def require_loadable(folder: Path, *, trusted: bool) -> None:
    """Load a model's folder in another process, unless this is the main thread.

    The main thread loads a model at startup, before any request, and limits its memory itself.

    Raises:
        ModelRefused: The model must not be loaded, or the other process crashed.
    """
    if threading.current_thread() is threading.main_thread():
        return
    done = subprocess.run(  # noqa: S603 - this module
        [sys.executable, "-m", __name__, str(folder), str(trusted)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 1:
        (*_, reason) = done.stderr.splitlines()
        raise ModelRefused(brief(reason, _MAX_REASON_CHARACTERS))
    if done.returncode != 0:
        raise ModelRefused(
            f"the model in {folder} cannot be loaded: its process ended with {done.returncode}"
        )


if __name__ == "__main__":
    try:
        load_predictor(Path(sys.argv[1]), trusted=sys.argv[2] == str(True))
    except ModelRefused as error:
        sys.exit(str(error))
