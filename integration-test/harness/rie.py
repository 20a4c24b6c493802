"""The function by itself, behind AWS's runtime interface emulator."""

import os
import platform
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from event_source_mapping.emulator import is_free
from event_source_mapping.runtime import RuntimeFunction
from harness.commands import TOOLS
from tests.polling import until

HOST = "127.0.0.1"
# RIE's own, unless it is told another one.
TIMEOUT_SECONDS = 300.0
HANDLER = "lambda_function.lambda_handler"
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Rie:
    """A process of aws-lambda-rie and awslambdaric.

    Args:
        python: An interpreter that has awslambdaric.
        task_root: What an image has in /var/task.
        environ: All the environment variables that the function gets.
        log: File for what it prints.
        user: What the command begins with, such as setpriv and its options.

    Attributes:
        runtime: Invokes the function.
    """

    PROGRAM = (
        TOOLS
        / "sam/lib/python3.13/site-packages/samcli/local/rapid"
        / f"aws-lambda-rie-{_MACHINES[platform.machine()]}"
    )

    def __init__(
        self,
        python: Path,
        task_root: Path,
        environ: Mapping[str, str],
        log: Path,
        user: Sequence[str] = (),
    ) -> None:
        self._port, runtime_port = free_ports(2)
        self.runtime = RuntimeFunction(HOST, self._port, TIMEOUT_SECONDS)
        self._command: list[str | Path] = [
            *user,
            self.PROGRAM,
            *("--runtime-interface-emulator-address", f"{HOST}:{self._port}"),
            *("--runtime-api-address", f"{HOST}:{runtime_port}"),
            *(python, "-m", "awslambdaric", HANDLER),
        ]
        self._task_root = task_root
        self._environ = environ
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._task_root,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: not is_free(self._port))

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            stop(self._process)


def stop(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """End a process that leads its session, and what it left there."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
