"""Keeps unit tests alone: they start no process, open no connection and need no AWS account."""

import sys
from collections.abc import Iterator

import pytest

# Audit events of the standard library ("Audit events table", Python Library Reference).
_FORBIDDEN = frozenset({
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system",
    "socket.bind", "socket.connect", "subprocess.Popen",
})  # fmt: skip
_guard = {"on": False}


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if _guard["on"] and event in _FORBIDDEN:
        raise RuntimeError(f"a unit test caused {event}; move it to tests/contract")


sys.addaudithook(_refuse)  # it cannot be removed, only switched off


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse processes and connections while a unit test runs."""
    # Without credentials in the environment, boto3 asks EC2's metadata service for some.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unit")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unit")
    _guard["on"] = True
    yield
    _guard["on"] = False
