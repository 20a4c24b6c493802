"""Tries a model in another process, before one that answers requests loads it.

A limit on memory holds for a whole process, so requests could fail while a model is loaded within
one. A model that crashes or blocks its process fails no request either.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import load_predictor
from streams.errors import ServiceError, brief
from web_service.serving import require_predicts

# Twenty times what the slowest kind of model, a pyfunc, takes to start and to predict.
TRIAL_SECONDS = 120.0

_PREDICTED = "predicted"
_REFUSED = "refused: "
_MAX_REASON_CHARACTERS = 1000


class TrialInterrupted(ServiceError):
    """The other process was killed or took too long; the next trial may succeed."""


def require_loadable(folder: Path, *, trusted: bool, seconds: float = TRIAL_SECONDS) -> None:
    """Load a model and have it predict in another process, unless this is the main thread.

    The main thread loads a model at startup, before any request, and limits its memory itself.

    Args:
        folder: Holds `MLmodel` and the files it names.
        trusted: Whether formats that run code when loaded are allowed.
        seconds: How long the other process may take.

    Raises:
        ModelRefused: The model must not be loaded, cannot predict, or ended the other process.
        TrialInterrupted: The other process was killed by a signal or took too long.
    """
    if threading.current_thread() is threading.main_thread():
        return
    command = [sys.executable, "-m", __name__, str(folder), str(trusted), str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603 - this module
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise _interrupted(f"it did not predict a ride within {seconds:g} s") from None
    if done.stdout != _PREDICTED:
        raise _failure(done, folder)


def _failure(done: subprocess.CompletedProcess[str], folder: Path) -> ServiceError:
    if done.stdout.startswith(_REFUSED):
        return ModelRefused(brief(done.stdout.removeprefix(_REFUSED), _MAX_REASON_CHARACTERS))
    if done.returncode < 0:
        # Not always the model's fault: the system kills processes when it runs out of memory.
        return _interrupted(f"signal {-done.returncode} ended its process")
    return ModelRefused(
        f"the model in {folder} cannot be loaded: "
        f"its process ended with {done.returncode} before it predicted a ride"
    )


def _interrupted(how: str) -> TrialInterrupted:
    # No folder: each trial has another one, and the follower logs only messages that differ.
    return TrialInterrupted(f"the new model could not be tried: {how}; it will be tried again")


def _try(folder: Path, *, trusted: bool) -> str:
    try:
        require_predicts(load_predictor(folder, trusted=trusted), f"the model in {folder}")
    except ModelRefused as error:
        return f"{_REFUSED}{error}"
    return _PREDICTED


def main(folder: str, trusted: str, seconds: str) -> None:
    """Try a model, and report on standard output whether it predicted."""
    # The parent, which watches the time, too, may be gone.
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="replace") as report:
        # What the model prints must not be taken for the report.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        report.write(_try(Path(folder), trusted=trusted == str(True)))


if __name__ == "__main__":
    main(*sys.argv[1:])
