"""A Lambda executor for LocalStack: each execution environment is the real Lambda runtime.

LocalStack 4.14 runs no container-image functions unless it is paid for. This plugin, chosen with
`LAMBDA_RUNTIME_EXECUTOR`, runs them behind `aws-lambda-rie`, AWS's own runtime interface emulator:

- `rie-process`: as a process of `aws-lambda-rie` and `awslambdaric`, without a container engine.
- `rie-container`: as a container of the function's image, whose entry point does the same.

It runs in LocalStack's interpreter, so it imports nothing of this project.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from localstack.services.lambda_.networking import (
    get_all_container_networks_for_lambda,
    get_main_endpoint_from_container,
)
from localstack.utils.container_utils.container_client import (
    ContainerConfiguration,
    ContainerException,
)
from localstack.utils.docker_utils import DOCKER_CLIENT

INVOCATIONS = "/2015-03-31/functions/function/invocations"
PORT_OF_IMAGES = 8080
START_SECONDS = 15
STOP_SECONDS = 5
# What LocalStack says of its own runtime, and of the image's folders, means nothing here.
NOT_PASSED = ("LOCALSTACK_", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "EDGE_PORT", "TZ")


class Environment(Protocol):
    """A running execution environment, which takes one invocation at a time."""

    host: str
    port: int

    def logs(self) -> str:
        """Everything that it has logged."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class RieExecutor(RuntimeExecutor):
    """What LocalStack starts, invokes and stops for a version of a function."""

    environment: Environment
    reported = 0  # characters of its log

    @abstractmethod
    def launch(self, variables: Mapping[str, str]) -> Environment:
        """Start an execution environment with these environment variables."""

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the environment, and wait until it listens."""
        self.environment = self.launch(
            {
                name: str(value)
                for name, value in env_vars.items()
                if not name.startswith(NOT_PASSED)
            }
        )
        self._wait()

    def stop(self) -> None:
        """End the environment."""
        self.environment.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Hand over one event; the log of the invocation goes to LocalStack's CloudWatch."""
        status, answer = self._post(payload["payload"])
        # What an engine delivers late goes with the next invocation.
        said = self.environment.logs()
        new, self.reported = said[self.reported :], len(said)
        return InvocationResult(
            request_id=payload["invoke-id"],
            payload=answer,
            is_error=status != http.HTTPStatus.OK or is_error(answer),
            logs=new,
        )

    def get_logs(self) -> str:
        """Everything that the environment has logged."""
        return self.environment.logs()

    def get_address(self) -> str:
        """Where the environment listens."""
        return self.environment.host

    def get_runtime_endpoint(self) -> str:
        """LocalStack's own runtime would call this; AWS's does not."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Nothing: the image is built."""

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing, as nothing was prepared."""

    def _wait(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex((self.environment.host, self.environment.port)) == 0:
                    return
            time.sleep(0.02)
        self.environment.stop()
        raise RuntimeError(f"the function does not listen:\n{self.environment.logs()}")

    def _post(self, event: str) -> tuple[int, bytes]:
        timeout = self.function_version.config.timeout + START_SECONDS
        address = (self.environment.host, self.environment.port)
        connection = http.client.HTTPConnection(*address, timeout=timeout)
        try:
            connection.request("POST", INVOCATIONS, event.encode())
            response = connection.getresponse()
            return response.status, response.read()
        except OSError as error:
            crash = {"errorType": "Runtime.ExitError", "errorMessage": f"crashed: {error}"}
            return http.HTTPStatus.BAD_GATEWAY, json.dumps(crash).encode()
        finally:
            connection.close()


def is_error(answer: bytes) -> bool:
    """Whether an answer of RIE is a failure; it says 200 to those, too."""
    try:
        value = json.loads(answer)
    except ValueError:
        return True  # such as "Task timed out after 3.00 seconds"
    return isinstance(value, dict) and {"errorType", "errorMessage"} <= value.keys()


class ProcessExecutor(RieExecutor):
    """Runs the function in a process.

    `RIE`, `RIE_PYTHON` and `RIE_TASK_ROOT` in LocalStack's own environment say with what: the
    emulator, an interpreter that has awslambdaric, and the folder that an image would have in
    /var/task. `RIE_LOGS` is a folder.
    """

    def launch(self, variables: Mapping[str, str]) -> Environment:
        """Start RIE, which starts the runtime."""
        command = self.function_version.config.image_config.command
        log = Path(os.environ["RIE_LOGS"]) / f"{self.function_version.id.function_name}-{self.id}"
        return ProcessEnvironment(command, variables, log.with_suffix(".log"))

    def get_endpoint_from_executor(self) -> str:
        """Where a function finds LocalStack."""
        return "127.0.0.1"


class ProcessEnvironment:
    """RIE and the runtime, as processes."""

    host = "127.0.0.1"

    def __init__(self, command: list[str], variables: Mapping[str, str], log: Path) -> None:
        self.port, runtime_port = free_ports(2)
        self._log = log
        task_root = os.environ["RIE_TASK_ROOT"]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [
                    os.environ["RIE"],
                    *("--runtime-interface-emulator-address", f"{self.host}:{self.port}"),
                    *("--runtime-api-address", f"{self.host}:{runtime_port}"),
                    *(os.environ["RIE_PYTHON"], "-m", "awslambdaric", *command),
                ],
                cwd=task_root,
                env={
                    "PATH": os.environ["PATH"],
                    "LANG": "en_US.UTF-8",
                    **variables,
                    "LAMBDA_TASK_ROOT": task_root,
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def logs(self) -> str:
        """Everything that it has logged."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """End RIE, which ends the runtime."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ContainerExecutor(RieExecutor):
    """Runs the function's image, which must be on this machine, with its own entry point."""

    def launch(self, variables: Mapping[str, str]) -> Environment:
        """Start a container."""
        return ContainerEnvironment(
            ContainerConfiguration(
                image_name=self.function_version.config.image.image_uri,
                name=f"rides-{self.id}",
                command=self.function_version.config.image_config.command,
                env_vars=dict(variables),
                network=get_all_container_networks_for_lambda()[0],
                additional_flags=config.LAMBDA_DOCKER_FLAGS,
            )
        )

    def get_endpoint_from_executor(self) -> str:
        """Where a function finds LocalStack."""
        return str(get_main_endpoint_from_container())


class ContainerEnvironment:
    """A container in LocalStack's own network."""

    port = PORT_OF_IMAGES

    def __init__(self, configuration: ContainerConfiguration) -> None:
        self._name = configuration.name
        network = configuration.network
        try:
            DOCKER_CLIENT.create_container_from_config(configuration)
            DOCKER_CLIENT.start_container(self._name)
            self.host = DOCKER_CLIENT.get_container_ipv4_for_network(self._name, network)
        except ContainerException as error:
            said = f"{error.__cause__ or error}\n{self.logs()}"
            self.stop()
            raise RuntimeError(f"the function does not start: {said}") from error

    def logs(self) -> str:
        """Everything that it has logged."""
        return str(DOCKER_CLIENT.get_container_logs(self._name, safe=True))

    def stop(self) -> None:
        """Remove the container."""
        DOCKER_CLIENT.remove_container(self._name, force=True)


class ProcessPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=rie-process`."""

    name = "rie-process"

    def load(self, *_: object, **__: object) -> type[RuntimeExecutor]:
        """The class."""
        return ProcessExecutor


class ContainerPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=rie-container`."""

    name = "rie-container"

    def load(self, *_: object, **__: object) -> type[RuntimeExecutor]:
        """The class."""
        return ContainerExecutor


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
