"""Commands that run until a test stops them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class Running:
    """A command and its children, whose standard error a test reads."""

    def __init__(self, process: "subprocess.Popen[str]", stderr: IO[str]) -> None:
        self._process, self._stderr = process, stderr

    @property
    def status(self) -> int | None:
        """The exit status; None while the command runs."""
        return self._process.poll()

    def next_line(self) -> str:
        """The next line of standard error; empty if the command has ended."""
        return self._stderr.readline()

    def read_to(self, text: str) -> str:
        """Return standard error up to the first line that contains a text."""
        said = ""
        for line in self._stderr:
            said += line
            if text in line:
                return said
        raise AssertionError(f"it ended before it said {text!r}: {said}")

    def stop(self, number: signal.Signals) -> str:
        """Send a signal to the command and its children; return the rest of standard error."""
        os.killpg(self._process.pid, number)
        _, said = self._process.communicate(timeout=60)
        return said


@contextmanager
def started(
    command: Sequence[str], checkout: Path, environ: Mapping[str, str]
) -> Iterator[Running]:
    """Start a command, and stop it at the end of the block if it still runs."""
    process = subprocess.Popen(
        command,
        cwd=checkout,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    running = Running(process, process.stderr)
    try:
        yield running
    finally:
        if running.status is None:
            running.stop(signal.SIGTERM)
        process.stderr.close()
