"""The environment file of `make up`, sourced by shells with another AWS setup."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from event_source_mapping.emulator import Emulator
from local.shell import lock, write_environment
from tests.commands import finished
from tests.conftest import PROJECT

COMMANDS = PROJECT / ".venv/bin"
NOBODY = "http://127.0.0.1:9"
# Each of these alone would keep a client from the stack.
HOSTILE = {
    "AWS_PROFILE": "nobody",
    "AWS_DEFAULT_PROFILE": "nobody",
    "AWS_SESSION_TOKEN": "token",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ENDPOINT_URL_KINESIS": NOBODY,
    "AWS_ENDPOINT_URL_S3": NOBODY,
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/nowhere",
    "KINESIS_ENDPOINT_URL": NOBODY,
    "http_proxy": NOBODY,
    "HTTP_PROXY": NOBODY,
    "ALL_PROXY": NOBODY,
}
CONFIG = """
[default]
ignore_configured_endpoint_urls = true
use_fips_endpoint = true
ca_bundle = /nowhere
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder whose AWS configuration leads away from the stack."""
    folder = tmp_path / "home"
    (folder / ".aws").mkdir(parents=True)
    (folder / ".aws/config").write_text(CONFIG)
    return folder


def source(file: Path, then: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Source a file in bash, and if that succeeds run a command."""
    return finished(
        ["bash", "-euo", "pipefail", "-c", f'source "$0" && {then}', file],
        env={"PATH": os.environ["PATH"], **variables},
    )


def test_sourced_file_leads_the_aws_cli_to_the_stack_whatever_the_shell_has(
    aws: Emulator, home: Path, tmp_path: Path
) -> None:
    """Profiles, endpoints, proxies and `~/.aws/config` of the user do not matter."""
    aws.client("kinesis").create_stream(StreamName="rides", ShardCount=1)
    aws.client("s3").create_bucket(Bucket="failures")
    file, held = tmp_path / "env", tmp_path / "lock"
    with lock(held):
        write_environment(file, held, aws.environ, COMMANDS)
        streams = source(file, "aws kinesis list-streams", {**HOSTILE, "HOME": str(home)})
        buckets = source(file, "aws s3 ls", {**HOSTILE, "HOME": str(home)})

    assert streams.returncode == buckets.returncode == 0, streams.stderr + buckets.stderr
    assert json.loads(streams.stdout)["StreamNames"] == ["rides"]
    assert buckets.stdout.endswith(" failures\n")


def test_sourced_file_leaves_nothing_of_the_users_aws_variables(
    aws: Emulator, tmp_path: Path
) -> None:
    """Every AWS variable of the shell is the stack's afterwards."""
    file, held = tmp_path / "env", tmp_path / "lock"
    with lock(held):
        write_environment(file, held, aws.environ, COMMANDS)
        printed = source(file, "env", HOSTILE).stdout

    found = dict(line.split("=", 1) for line in printed.splitlines() if line.startswith("AWS_"))
    assert found == {name: v for name, v in aws.environ.items() if name.startswith("AWS_")}


def test_file_of_a_stack_that_ended_fails_and_changes_nothing(tmp_path: Path) -> None:
    """The port of a stack that was killed may be another program's by now."""
    file, released = tmp_path / "it's env", tmp_path / "a lock"
    with lock(released):
        write_environment(file, released, {"AWS_ENDPOINT_URL": NOBODY}, COMMANDS)

    done = source(file, "echo reached", {})
    after = source(file, "true || env", {})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "the local stack is not up: start it with 'make up'\n"
    assert "AWS_ENDPOINT_URL" not in after.stdout


def test_clients_of_functions_do_not_read_the_users_configuration(
    aws: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables of the stack keep boto3 from `~/.aws`, where endpoints may be ignored."""
    monkeypatch.setenv("HOME", str(home))
    aws.client("kinesis").create_stream(StreamName="rides", ShardCount=1)

    assert boto3.Session().client("kinesis").list_streams()["StreamNames"] == ["rides"]
