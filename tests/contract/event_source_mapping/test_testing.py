"""The pytest fixture for other projects, and the guide that shows it."""

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from event_source_mapping.pytest_plugin import LocalStack, StartStack

pytest_plugins = ["event_source_mapping.pytest_plugin"]

PROJECT = Path(__file__).parents[3]
GUIDE = PROJECT / "docs" / "event-source-mapping.md"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  In: {Type: AWS::Kinesis::Stream, Properties: {Name: in, ShardCount: 1}}
  Out: {Type: AWS::Kinesis::Stream, Properties: {Name: out, ShardCount: 1}}
  Kept: {Type: AWS::S3::Bucket, Properties: {BucketName: kept}}
  Copy:
    Type: AWS::Serverless::Function
    Properties:
      Handler: copying.handle
      Environment: {Variables: {OUT: !Ref Out}}
      Events:
        In: {Type: Kinesis, Properties: {Stream: !GetAtt In.Arn, StartingPosition: TRIM_HORIZON}}
"""
HANDLER = """
import base64
import os
import boto3


def handle(event, context):
    kinesis = boto3.client("kinesis")  # as late as the variables are read: at each invocation
    for record in event["Records"]:
        data = base64.b64decode(record["kinesis"]["data"])
        kinesis.put_record(StreamName=os.environ["OUT"], Data=data, PartitionKey="key")
"""


@pytest.fixture
def stack(tmp_path: Path, local_stack: "StartStack") -> "LocalStack":
    """A function that copies a stream, both in memory."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "copying.py").write_text(textwrap.dedent(HANDLER))
    return local_stack(tmp_path / "template.yaml", in_memory=True)


def test_wait_for_records_has_what_the_function_wrote_in_order(stack: "LocalStack") -> None:
    """Payloads that were put come out of the function, in the order of their key."""
    numbers = stack.put("in", b"a", b"b", b"c")

    assert numbers == sorted(numbers)
    assert stack.wait_for_records("out", 3) == [b"a", b"b", b"c"]


def test_wait_that_is_in_vain_says_what_is_missing(stack: "LocalStack") -> None:
    """The error has how many there are, of what, and how long that was waited for."""
    stack.put("in", b"a")
    stack.wait_for_records("out", 1)

    with pytest.raises(TimeoutError, match="1 of 2 records on out after 0.1 seconds"):
        stack.wait_for_records("out", 2, seconds=0.1)
    with pytest.raises(TimeoutError, match="0 of 1 objects in kept after 0.1 seconds"):
        stack.wait_for_objects("kept", 1, seconds=0.1)


def test_stop_ends_the_feeding(stack: "LocalStack") -> None:
    """What is put after a stop is not delivered."""
    stack.stop()
    stack.put("in", b"a")

    with pytest.raises(TimeoutError):
        stack.wait_for_records("out", 1, seconds=0.3)


def test_guide_names_tests_that_exist() -> None:
    """Each test that the table of rules names is in the file that it names."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", GUIDE.read_text())

    missing = [
        f"{file}::{name}"
        for file, name in named
        if f"def {name}(" not in (PROJECT / "tests" / file).read_text()
    ]
    assert len(named) > 100
    assert missing == []


def test_guide_names_a_test_for_every_rule() -> None:
    """No row of the tables of rules is without a test."""
    rules = (
        GUIDE.read_text().partition("### Where reading begins")[2].partition("## What is not")[0]
    )
    rows = [line for line in rules.splitlines() if line.startswith("|")]

    ends = ("---|---|---|", "| test |", "the same |")
    assert [row for row in rows if "::test_" not in row and not row.endswith(ends)] == []


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
