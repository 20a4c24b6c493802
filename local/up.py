"""`make up`: the local stack stays up, with the functions consuming, until Ctrl-C."""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from cli.terminal import say_lines
from event_source_mapping.emulator import Emulator, is_free, leave_aws
from event_source_mapping.local_stack import Stack
from local.sample_models import PROJECT, TEMPLATE, parameters_of, stop_on_signals, train_models
from local.shell import StackIsUp, lock, write_environment

# Where emulators of AWS listen by custom; any free port will do when it is taken.
USUAL_PORT = 4566
ENVIRONMENT_FILE = PROJECT / ".local" / "env"
LOCK_FILE = PROJECT / ".local" / "up.lock"
COMMANDS = PROJECT / ".venv" / "bin"
# How long Ctrl-C may take to be seen.
_LOOK_SECONDS = 0.5


class PortInUse(Exception):
    """Another program listens on the port that was asked for."""


def main() -> int:
    """Keep the stack up until SIGINT or SIGTERM."""
    stop_on_signals()
    parser = argparse.ArgumentParser(prog="make up", usage="make up [PORT=N]", description=__doc__)
    parser.add_argument("--port", type=_port_number, help="where to listen")
    asked: int | None = parser.parse_args().port
    leave_aws()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for chatty in ("botocore", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        # The lock first: the port may be taken by this checkout's own stack.
        with lock(LOCK_FILE):
            _serve(_free_port(asked))
    except StackIsUp as error:
        say_lines(str(error))
        return 1
    except PortInUse as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        say_lines("stopped")
    return 0


def _serve(port: int) -> None:
    # Left by a stack that was killed.
    ENVIRONMENT_FILE.unlink(missing_ok=True)
    with Emulator(port) as emulator, tempfile.TemporaryDirectory() as folder:
        say_lines("training the sample models ...")
        duration, tip = train_models(emulator, Path(folder))
        with Stack(emulator, parameters_of(duration, tip), TEMPLATE):
            try:
                write_environment(ENVIRONMENT_FILE, LOCK_FILE, emulator.environ, COMMANDS)
                say_lines(
                    f"up at {emulator.endpoint}, serving runs {duration.run_id} and {tip.run_id}\n"
                    f"in another terminal:  source {ENVIRONMENT_FILE.relative_to(PROJECT)}\n"
                    "Ctrl-C stops it"
                )
                while True:
                    # Not signal.pause: a signal that comes to another thread would not end it.
                    time.sleep(_LOOK_SECONDS)
            finally:
                ENVIRONMENT_FILE.unlink(missing_ok=True)


def _free_port(asked: int | None) -> int:
    if asked is None:
        return USUAL_PORT if is_free(USUAL_PORT) else 0
    if not is_free(asked):
        raise PortInUse(f"PORT={asked} is in use; choose another, or leave it out")
    return asked


def _port_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"PORT={text!r} is not a port number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
