"""Commands that are run to their end."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conftest import PROJECT


def finished(
    command: Sequence[str | Path],
    *,
    cwd: Path = PROJECT,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    check: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """Run a command, by default in the project with this shell's variables."""
    return subprocess.run(
        command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=check
    )
