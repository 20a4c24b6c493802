"""The on-call commands in a shell whose local stack is gone, and its port another program's."""

import os
import sys
from collections.abc import Iterator

import pytest

from tests.commands import finished
from tests.http_server import Handler, serving


class Web(Handler):
    """A page for every path and method, such as a development server has."""

    def respond(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.answer(200, b"<html></html>")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving(Web) as url:
        yield url


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        (["ops.read"], "ListShards"),
        (["ops.redrive", "--bucket", "failures", "list"], "ListObjectsV2"),
        (["ops.redrive", "--bucket", "failures", "put"], "ListObjectsV2"),
        (["ops.replay", "--output", "-", "--run-id", "candidate"], "ListShards"),
    ],
    ids=["read", "list", "put", "replay"],
)
def test_program_that_is_not_aws_is_told_in_one_line(
    endpoint: str, command: list[str], operation: str, duration_model: dict[str, str]
) -> None:
    """A page would be an empty answer to boto3; the command names the operation and the address."""
    model = ["--model-location", duration_model["model_location"]]
    done = finished(
        [sys.executable, "-m", *command, *(model if command[0] == "ops.replay" else ())],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{operation} failed: what answers at {endpoint}/" in done.stderr
    assert "is not AWS; check " in done.stderr
    assert done.stdout.count("\n") <= 1  # the head of a table
