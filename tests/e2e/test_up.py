"""`make up`: one stack of a checkout at a time, also after another was killed."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from tests.commands import finished
from tests.e2e.processes import Running, started
from tests.polling import until

TRAINING = "training the sample models ...\n"


def up(checkout: Path, environ: dict[str, str], *variables: str) -> AbstractContextManager[Running]:
    return started(["make", "up", *variables], checkout, environ)


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Listen on a port, unless another program does already."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def source(checkout: Path, environ: dict[str, str], then: str) -> subprocess.CompletedProcess[str]:
    return finished(["bash", "-c", f"source .local/env && {then}"], cwd=checkout, env=environ)


def test_make_up_a_second_time_is_refused_before_it_trains(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """A second stack starts nothing, even on the first one's port, and the first goes on."""
    file = checkout / ".local/env"
    with up(checkout, shell_environ) as first:
        assert first.next_line() == TRAINING
        with up(checkout, shell_environ) as second:
            said = second.next_line()
        until(file.exists, 120)
        (port,) = re.findall(r"AWS_ENDPOINT_URL=\S*:(\d+)", file.read_text())
        with up(checkout, shell_environ, f"PORT={port}") as third:
            said_of_its_port = third.next_line()

    assert said == "this checkout's stack is up already; stop it first, or use another clone\n"
    assert said_of_its_port == said
    assert not file.exists()


def test_make_up_after_a_kill_replaces_what_was_left(
    checkout: Path, shell_environ: dict[str, str]
) -> None:
    """The file of a killed stack leads no shell to the program that has its port now."""
    file = checkout / ".local/env"
    with up(checkout, shell_environ) as killed:
        until(file.exists, 120)
        killed.stop(signal.SIGKILL)
    left = source(checkout, shell_environ, "echo reached")
    (port,) = re.findall(r"AWS_ENDPOINT_URL=\S*:(\d+)", file.read_text())
    with taken(int(port)), up(checkout, shell_environ) as started:
        assert started.next_line() == TRAINING
        assert not file.exists()
        until(file.exists, 120)
        listed = source(checkout, shell_environ, "make read STREAM=ride_events")

    assert (left.returncode, left.stdout) == (1, "")
    assert left.stderr == "the local stack is not up: start it with 'make up'\n"
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "")
    assert not file.exists()
