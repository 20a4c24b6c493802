"""`make release` and `make rollback`: which run a deployed predictor serves.

Only the stack's parameters change; its template and its image stay. So no build is needed, and what
lies in the working copy is not deployed by the way.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import boto3
from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from cli.aws_answers import told
from cli.terminal import OpsError, say
from model_service.settings import Settings
from ops.release.deployed_stack import CloudFormation, DeployedStack
from ops.release.release import MODEL_ID, MODEL_SHA256, RUN_ID, release, rollback, serving
from ops.release.samconfig import stale_overrides
from streams.errors import SettingsError

STACK = "ride-predictions"
SAMCONFIG = Path("samconfig.toml")


def main(
    arguments: Sequence[str],
    connect: Callable[[Literal["cloudformation"]], CloudFormation] = boto3.client,
) -> int:
    """Release or roll back, and say so; answer with the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        if options.command == "release":
            _require_form(options)
        stack = DeployedStack(connect("cloudformation"), options.stack or STACK)
        if options.command == "rollback":
            done = rollback(stack)
        else:
            model = {
                RUN_ID: options.run_id,
                MODEL_SHA256: options.model_sha256,
                MODEL_ID: options.model_id,
            }
            done = release(stack, options.predictor, model)
    except OpsError as error:
        say(str(error))
        return 1
    except (BotoCoreError, ResponseParserError) as error:
        say(f"AWS does not answer, and nothing has changed: {told(error)}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; nothing has changed")
        return 130
    say(done)
    _warn_of_stale_overrides(stack)
    return 0


def _require_form(options: argparse.Namespace) -> None:
    """Refuse what the function would refuse at its start, before anybody is asked.

    Raises:
        OpsError: The run ID or the digest cannot be one.
    """
    given = {"RUN_ID": options.run_id, "MODEL_SHA256": options.model_sha256}
    try:
        Settings.from_environ({**given, "MODEL_LOCATION": "to be found"})
    except SettingsError as error:
        raise OpsError(f"nothing is released: {error}") from None


def _warn_of_stale_overrides(stack: DeployedStack) -> None:
    try:
        stale = stale_overrides(SAMCONFIG, stack.name, serving(stack.parameters()))
    except (OpsError, BotoCoreError, ResponseParserError, OSError, ValueError) as error:
        # The release is made, whatever is in that file.
        say(f"{SAMCONFIG} was not compared with the stack: {error}")
        return
    for name in stale:
        say(
            f"{SAMCONFIG} has another {name}: take it out of parameter_overrides, "
            "or the next sam deploy brings it back"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops.release", description=__doc__)
    parser.add_argument("--stack", default="", help=f"name of the stack ({STACK})")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("rollback", help="serve what was served before the last release")
    command = commands.add_parser("release", help="serve another run")
    command.add_argument(
        "--predictor", default="duration", help="duration, tip, or one that was added"
    )
    command.add_argument("--run-id", required=True, type=_given, help="MLflow run ID")
    command.add_argument(
        "--model-sha256", required=True, type=_given, help="digest, as training prints it"
    )
    command.add_argument("--model-id", default="", help="only for a run without artifacts/model")
    return parser


def _given(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: RUN_ID=… MODEL_SHA256=…, as training prints")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
