"""LocalStack's image and the function's, by docker compose."""

import http.client
from collections.abc import Mapping
from pathlib import Path

from event_source_mapping.runtime import RuntimeFunction
from harness.commands import PROJECT, run
from harness.emulated import IMAGE, EmulatedCloud
from harness.rie import HOST, TIMEOUT_SECONDS, free_ports
from tests.polling import until

FILE = PROJECT / "integration-test/compose.yaml"
COMPOSE = ("docker", "compose", "--file", FILE, "--profile", "alone")
BUILT = "ride-predictions:latest"
MODEL = "/mnt/model"


class ComposeLocalStack(EmulatedCloud):
    """LocalStack in a container, which starts the functions' containers beside it."""

    description = "docker compose: localstack/localstack:4.14.0, functions in the image"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start LocalStack, and wait until it answers."""
        # The functions' ImageUri must be on this machine; nothing is pulled from there.
        self._run("docker", "tag", BUILT, IMAGE)
        self._run(*COMPOSE, "up", "--detach", "localstack")
        until(self.answers, 120)

    def stop(self) -> None:
        """Stop and remove what was started; its log stays."""
        try:
            (self.folder / "compose.log").write_text(self._log())
        finally:
            self._run(*COMPOSE, "down", "--timeout", "30", "--volumes", "--remove-orphans")
            self._run("docker", "image", "rm", "--force", IMAGE)  # only this name of it

    def run_function(self, environ: Mapping[str, str], model: Path) -> RuntimeFunction:
        """Run the image by itself, with these environment variables and no others."""
        places = {"endpoint": "http://localstack:4566", "model": MODEL}
        variables = [f"--env={name}={value.format(**places)}" for name, value in environ.items()]
        (port,) = free_ports(1)
        self._run(
            *COMPOSE,
            *("run", "--detach", "--no-deps", "--publish", f"127.0.0.1:{port}:8080"),
            *("--volume", f"{model}:{MODEL}:ro"),
            *variables,
            "function",
        )
        until(lambda: answers_http(port))
        return RuntimeFunction(HOST, port, TIMEOUT_SECONDS)

    def logs(self) -> Mapping[str, str]:
        """What LocalStack and the functions said."""
        return {"LocalStack and the functions": self._log()}

    def _log(self) -> str:
        return self._run(*COMPOSE, "logs", "--no-color")

    def _run(self, *command: str | Path) -> str:
        variables = {"LOCALSTACK_PORT": str(self._port), "IMAGE": BUILT}
        return run(*command, environ={**self.environ, **variables})


def answers_http(port: int) -> bool:
    """Whether HTTP is spoken there; docker listens on a published port before its container does."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
