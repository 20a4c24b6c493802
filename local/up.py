"""`make up`: the local stack stays up, with the function consuming, until Ctrl-C."""

import argparse
import logging
import signal
import sys
import tempfile
from pathlib import Path

from local.emulator import Emulator, is_free
from local.stack import MODEL_BUCKET, PROJECT, Stack, train_model

# Where emulators of AWS listen by custom; any free port will do when it is taken.
USUAL_PORT = 4566
ENVIRONMENT_FILE = PROJECT / ".local" / "env"


def main() -> int:
    """Keep the stack up until SIGINT or SIGTERM."""
    # Set for both: a shell starts background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for chatty in ("botocore", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        _serve(_port())
    except KeyboardInterrupt:
        _say("stopped")
    finally:
        ENVIRONMENT_FILE.unlink(missing_ok=True)
    return 0


def _serve(port: int) -> None:
    with Emulator(port) as emulator, tempfile.TemporaryDirectory() as folder:
        _say("training the sample model ...")
        model = train_model(emulator, Path(folder))
        with Stack(emulator, {"RunId": model.run_id, "ModelBucket": MODEL_BUCKET}):
            _write_environment(emulator)
            _say(
                f"up at {emulator.endpoint}, serving run {model.run_id}\n"
                f"in another terminal:  source {ENVIRONMENT_FILE.relative_to(PROJECT)}\n"
                "Ctrl-C stops it"
            )
            while True:
                signal.pause()


def _port() -> int:
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--port", type=int, help="where to listen, instead of the usual port")
    port: int | None = parser.parse_args().port
    if port is None:
        return USUAL_PORT if is_free(USUAL_PORT) else 0
    if not is_free(port):
        parser.error(f"PORT={port} is in use; choose another, or leave it out")
    return port


def _write_environment(emulator: Emulator) -> None:
    """Write a file that leads the AWS CLI and boto3 of any shell here."""
    ENVIRONMENT_FILE.parent.mkdir(exist_ok=True)
    lines = [f"export {name}={value}\n" for name, value in emulator.environ.items()]
    ENVIRONMENT_FILE.write_text("".join(lines))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's progress


if __name__ == "__main__":
    sys.exit(main())
