import io
import logging

import pytest

from cli.terminal import Progress, log_in_lines, say
from tests.clock import ManualClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_draws_a_bar_on_a_terminal() -> None:
    """It shows the share, and what it is told."""
    terminal = Terminal()

    Progress("reading", terminal).show(1, 3, "7 failures")

    assert terminal.getvalue() == f"\rreading [{'#' * 10}{' ' * 20}]  33%  7 failures\x1b[K"


def test_progress_without_a_total_has_no_bar() -> None:
    """What is unknown is not drawn."""
    terminal = Terminal()

    Progress("replaying", terminal).show(0, 0, "7 rides")

    assert terminal.getvalue() == "\rreplaying 7 rides\x1b[K"


def test_progress_is_silent_in_a_log() -> None:
    """A file gets no control characters."""
    log = io.StringIO()
    progress = Progress("reading", log)

    progress.show(1, 2, "")
    progress.clear()

    assert log.getvalue() == ""


def test_progress_draws_ten_times_a_second() -> None:
    """A call for each of a million pages costs nothing."""
    terminal, clock = Terminal(), ManualClock()
    progress = Progress("p", terminal, clock=clock)

    for number in range(100):
        progress.show(0, 0, f"<{number}>")
        clock.now += 0.01

    assert terminal.getvalue().count("<") <= 11


def test_what_is_said_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """An error of a fix-up may quote the record that it failed on."""
    say("KeyError: \x1b[2J and é")

    assert capsys.readouterr().err == "KeyError: \\x1b[2J and é\n"


def test_libraries_warn_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception in a log record is told without its traceback."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        log_in_lines()
        try:
            raise ValueError("two\nlines")
        except ValueError:
            logging.getLogger("library").exception("PutRecords on %s failed", "rides")
    finally:
        root.handlers = before

    say("said\nin one")
    assert capsys.readouterr().err == "PutRecords on rides failed: two lines\nsaid in one\n"
