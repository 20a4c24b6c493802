"""How the benchmark of the web service finds a server's port."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bench_web import port_of


def log(folder: Path, text: str) -> Path:
    path = folder / "server.log"
    path.write_text(text)
    return path


def test_port_is_the_one_that_gunicorn_logs(tmp_path: Path) -> None:
    """A server that runs and listens has its port in its log; one that says nothing is an error."""
    said = log(tmp_path, "[INFO] Starting\n[INFO] Listening at: http://127.0.0.1:4321 (7)\n")

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        assert port_of(waiting, said) == 4321
        with pytest.raises(RuntimeError, match="not listen: status=None; it printed:\nloading"):
            port_of(waiting, log(tmp_path, "loading"), seconds=0)
        waiting.communicate(b"\n")


def test_port_of_a_server_that_ended_is_an_error(tmp_path: Path) -> None:
    """The error has the server's exit status and what it printed."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as ended:
        ended.wait()

    with pytest.raises(RuntimeError, match="status=3; it printed:\nno such model"):
        port_of(ended, log(tmp_path, "no such model"))
