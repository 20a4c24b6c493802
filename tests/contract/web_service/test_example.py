"""examples/test_predict.py, which a user runs against a service."""

import subprocess
import sys

import pytest

from tests.commands import finished
from tests.conftest import PROJECT
from tests.http_server import Handler, serving
from tests.web import Web


def ask(url: str) -> subprocess.CompletedProcess[str]:
    return finished([sys.executable, PROJECT / "examples/test_predict.py", url])


class Anything(Handler):
    """A service that is another one."""

    def respond(self) -> None:
        self.answer(200, b"<html>")


@pytest.mark.parametrize("end", ["", "/"])
def test_example_finds_a_running_service_right(web: Web, end: str) -> None:
    """It prints four answers and finds no fault, with a slash at the end of the URL or without."""
    done = ask(web.url + end)

    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert len(done.stdout.splitlines()) == 4


def test_example_says_in_a_line_that_a_service_is_another() -> None:
    """What answers something else than JSON is named."""
    with serving(Anything) as other:
        done = ask(other)

    assert done.returncode == 1
    assert done.stderr.startswith(f"{other} is no web service of rides, such as http://127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("url", ["127.0.0.1:9696", "http://127.0.0.1:1"])
def test_example_says_in_a_line_what_is_wrong_with_a_url(url: str) -> None:
    """One that is none, and one where nobody answers."""
    done = ask(url)

    assert done.returncode == 1
    assert done.stderr.startswith(url)
    assert len(done.stderr.splitlines()) == 1
