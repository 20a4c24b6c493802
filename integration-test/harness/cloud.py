"""Where the stack is deployed: AWS, or LocalStack in one of two ways."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3

from harness.commands import SAM, run

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client


class Cloud(ABC):
    """AWS, or something like it.

    Args:
        folder: Where logs and whatever is deployed go.

    Attributes:
        description: One line for the user.
        changes: How what is deployed differs from template.yaml.
        endpoint: URL of an emulator; None for AWS.
        stack_name: Name for the stack.
        parameters: Parameters of the template that must have other values there.
        patience_seconds: How long a record may be under way.
    """

    description: str
    changes: Sequence[str]
    endpoint: str | None
    stack_name: str
    parameters: Mapping[str, str]
    # An invocation that has to start an execution environment takes some seconds.
    patience_seconds = 90.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def environ(self) -> dict[str, str]:
        """Environment variables that lead AWS clients there."""

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Stop everything that was started."""

    @abstractmethod
    def deploy(self, parameters: Mapping[str, str]) -> None:
        """`sam deploy` the project's template, and wait until it is there."""

    @abstractmethod
    def delete(self) -> None:
        """Delete what was deployed."""

    @abstractmethod
    def log_group(self, function: str) -> str:
        """Where a function logs."""

    @abstractmethod
    def logs(self) -> Mapping[str, str]:
        """What is worth seeing when a test fails, by title."""

    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["kinesis"]) -> "KinesisClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    def client(
        self, service: Literal["cloudformation", "kinesis", "logs", "s3"]
    ) -> "CloudFormationClient | KinesisClient | CloudWatchLogsClient | S3Client":
        """A boto3 client of a service there."""
        variables = self.environ
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        )

    def sam_deploy(
        self, template: Path, parameters: Mapping[str, str], *options: str | Path
    ) -> None:
        """`sam deploy` a template, away from the user's samconfig.toml."""
        run(
            *(*SAM, "deploy", "--template-file", template, "--stack-name", self.stack_name),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
            *("--no-confirm-changeset", "--no-progressbar", *options),
            *("--parameter-overrides", *(f"{name}={v}" for name, v in parameters.items())),
            environ=self.environ,
            folder=self.folder,
        )

    def function_log(self, function: str) -> list[str]:
        """The lines that a function has logged."""
        pages = self.client("logs").get_paginator("filter_log_events")
        return [
            line
            for page in pages.paginate(logGroupName=self.log_group(function))
            for event in page["events"]
            for line in event["message"].splitlines()
        ]
