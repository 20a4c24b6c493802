import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bench_web import port_of


@pytest.fixture
def waiting() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs until its standard input ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.communicate(b"\n")


def log(folder: Path, text: str) -> Path:
    path = folder / "server.log"
    path.write_text(text)
    return path


def test_port_is_the_one_that_the_server_says(
    waiting: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """As gunicorn logs it."""
    said = log(tmp_path, "[INFO] Starting\n[INFO] Listening at: http://127.0.0.1:4321 (7)\n")

    assert port_of(waiting, said) == 4321


def test_port_of_a_server_that_does_not_listen_in_time_is_an_error(
    waiting: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """The benchmark ends, and shows what the server said."""
    with pytest.raises(RuntimeError, match="not listen after 0 seconds; it said:\nloading"):
        port_of(waiting, log(tmp_path, "loading"), seconds=0)


def test_port_of_a_server_that_ended_is_an_error(tmp_path: Path) -> None:
    """At once, with its status and what it said."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as ended:
        ended.wait()

    with pytest.raises(RuntimeError, match="ended with status 3; it said:\nno such model"):
        port_of(ended, log(tmp_path, "no such model"))
