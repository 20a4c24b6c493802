"""What a command says to whoever runs it: lines, warnings of the libraries, a progress bar."""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_CHARACTERS = 30
# Often enough for the eye, and seldom enough to cost nothing.
REDRAW_SECONDS = 0.1


def say(text: str) -> None:
    """Print one line to stderr, whatever a library or a record put into the text."""
    print(_one_line(text), file=sys.stderr, flush=True)  # noqa: T201 - the command's output


def say_lines(text: str) -> None:
    """Print lines of this project's own to stderr: stdout is for what a command is asked for."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's progress


def _one_line(text: str) -> str:
    # An error may quote a record, which must not be able to write to whoever's terminal shows it.
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


def leave_stdout() -> None:
    """Give up stdout, whose reader has seen enough; Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log_in_lines() -> None:
    """Have warnings and errors of libraries come as one line each, without tracebacks."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        text = record.getMessage() if error is None else f"{record.getMessage()}: {error}"
        return _one_line(text)


class Progress:
    """A bar on a terminal; on anything else, such as a log, nothing.

    Args:
        label: What is under way.
        stream: Where to draw.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        label: str,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._shows = self._stream.isatty()
        self._clock = clock
        self._drawn_at = float("-inf")

    def show(self, done: float, total: float, text: str) -> None:
        """Draw how far it is, unless it was drawn a moment ago.

        Args:
            done: How much is done, in any unit.
            total: How much there is in that unit; 0 if it is not known, which draws no bar.
            text: What to say behind the bar.
        """
        if not self._shows or self._clock() < self._drawn_at + REDRAW_SECONDS:
            return
        self._drawn_at = self._clock()
        # "\033[K" clears what a longer line before left behind.
        self._stream.write(f"\r{self._label} {_bar(done, total)}{text}\033[K")
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away, so that lines can follow."""
        if self._shows:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._drawn_at = float("-inf")


def _bar(done: float, total: float) -> str:
    if not total:
        return ""
    share = min(max(done / total, 0.0), 1.0)
    full = round(share * BAR_CHARACTERS)
    return f"[{'#' * full}{' ' * (BAR_CHARACTERS - full)}] {share:4.0%}  "


class OpsError(Exception):
    """A command did not do what was asked of it; the message says why, and what to do."""
