"""What the local stack's commands say of how far they are."""

import sys


def say(text: str) -> None:
    """Print lines to stderr: stdout is for what a command is asked for."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's progress
