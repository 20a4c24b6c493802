"""The pytest fixture for other projects, in a process that has used the user's AWS setup."""

from pathlib import Path

import boto3
import pytest

pytest_plugins = ["local.testing"]


def test_fixture_leaves_a_configuration_that_boto3_has_read_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The session of boto3 keeps what it read from `~/.aws`, so the fixture gives it a new one."""
    (tmp_path / "config").write_text("[default]\nignore_configured_endpoint_urls = true\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    boto3.client("kinesis", region_name="eu-west-1")

    request.getfixturevalue("local_stack")

    assert boto3.client("kinesis").list_streams()["StreamNames"] == []
