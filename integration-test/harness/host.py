"""LocalStack as a process of this machine, functions as processes of the Lambda runtime."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_source_mapping.runtime import RuntimeFunction
from harness.commands import PROJECT, TOOLS
from harness.emulated import EmulatedCloud
from harness.rie import Rie, free_ports, stop
from tests.polling import until

LOCALSTACK = TOOLS / "localstack"
RUNTIME_PYTHON = TOOLS / "runtime/bin/python"
PACKAGES = TOOLS / "serving"
PLUGIN = PROJECT / "integration-test/localstack"
START_SECONDS = 120.0


class HostLocalStack(EmulatedCloud):
    """LocalStack from PyPI, on the loopback interface, without a container engine."""

    description = (
        "LocalStack 4.14.0 from PyPI, functions in aws-lambda-rie and awslambdaric: no containers"
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._log = folder / "localstack.log"
        self._task_root = folder / "task"
        self._process: subprocess.Popen[bytes] | None = None
        self._functions: list[Rie] = []

    def start(self) -> None:
        """Start LocalStack, and wait until it answers."""
        assemble(self._task_root)
        (self.folder / "functions").mkdir()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [LOCALSTACK / "bin/python", PLUGIN / "on_loopback.py"],
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Ctrl-C is ours, and it is stopped in order
            )
        until(self._is_up, START_SECONDS)

    def stop(self) -> None:
        """Stop LocalStack, and everything that it started."""
        for function in self._functions:
            function.stop()
        if self._process is not None:
            stop(self._process)

    def run_function(self, environ: Mapping[str, str], model: Path) -> RuntimeFunction:
        """Run the function by itself, with these environment variables and no others."""
        places = {"endpoint": self.endpoint, "model": str(model)}
        function = Rie(
            RUNTIME_PYTHON,
            self._task_root,
            {name: value.format(**places) for name, value in environ.items()},
            self.folder / "function-alone.log",
        )
        self._functions.append(function)
        function.start()
        return function.runtime

    def logs(self) -> Mapping[str, str]:
        """What LocalStack and each execution environment said."""
        files = [
            self._log,
            *self.folder.glob("function*.log"),
            *self.folder.glob("functions/*.log"),
        ]
        return {file.name: file.read_text(errors="replace") for file in files if file.exists()}

    def _is_up(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"LocalStack ended:\n{self._log.read_text(errors='replace')}")
        return self.answers()

    def _variables(self) -> Mapping[str, str]:
        own: dict[str, Any] = {
            "GATEWAY_LISTEN": f"127.0.0.1:{self._port}",
            # Out of a container, also where it takes this machine for one: folders under a root.
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": LOCALSTACK / "filesystem",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",
            "ENABLE_CONFIG_UPDATES": "1",
            "KINESIS_PERSISTENCE": "0",
            "LAMBDA_RUNTIME_EXECUTOR": "rie-process",
            "PROVIDER_OVERRIDE_DYNAMODB": "moto",  # dynamodb_by_moto.py
            "PYTHONPATH": PLUGIN,
            "RIE": Rie.PROGRAM,
            "RIE_PYTHON": RUNTIME_PYTHON,
            "RIE_TASK_ROOT": self._task_root,
            "RIE_LOGS": self.folder / "functions",
            # A Node.js of its own, for machines without one.
            "PATH": f"{os.environ['PATH']}{os.pathsep}{LOCALSTACK / 'bin'}",
        }
        inherited = {name: v for name, v in self.environ.items() if not name.startswith("AWS_")}
        return {**inherited, **{name: str(value) for name, value in own.items()}}


def assemble(task_root: Path) -> None:
    """Make the folder that the image has in /var/task: serving packages, and the code."""
    shutil.copytree(
        PACKAGES, task_root, copy_function=link_or_copy, ignore=shutil.ignore_patterns(".ready")
    )
    for entry in ("lambda_function.py", "decision_function.py"):
        shutil.copy(PROJECT / entry, task_root)
    for package in ("streams", "model_service", "decision_service"):
        shutil.copytree(
            PROJECT / package,
            task_root / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )


def link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, or copy it to another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
