"""Commands that are waited for."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = PROJECT / ".tools"
SAM = (str(TOOLS / "sam/bin/python"), "-m", "samcli")


def run(*command: str | Path, environ: Mapping[str, str], folder: Path = PROJECT) -> str:
    """Run a command; answer with its standard output.

    Raises:
        RuntimeError: It failed; the message has what it printed.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{_text(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def _text(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))
