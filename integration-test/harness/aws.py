"""An AWS account: what emulators cannot prove. It costs a few cents, and is taken down again."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.commands import SAM, run


class Aws(Cloud):
    """The account and region that this shell's AWS settings lead to."""

    description = "AWS, with this shell's account and region; deleted at the end"
    changes = ()
    # A new event source mapping takes minutes to poll ("Using Lambda with Kinesis").
    patience_seconds = 600.0
    endpoint = None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        session = boto3.Session()
        if session.region_name is None:
            raise RuntimeError("AWS_DEFAULT_REGION is not set; set it to the region to deploy to")
        self._region = session.region_name
        self.stack_name = f"ride-predictions-test-{uuid.uuid4().hex[:8]}"
        # Names of their own, so that a deployed stack of the account is left alone.
        self.parameters = {
            "RideStreamName": f"{self.stack_name}-rides",
            "DecisionStreamName": f"{self.stack_name}-decisions",
            "PredictionStreamName": f"{self.stack_name}-predictions",
        }

    @property
    def environ(self) -> dict[str, str]:
        """This shell's own variables."""
        return {**os.environ, "AWS_DEFAULT_REGION": self._region, "SAM_CLI_TELEMETRY": "0"}

    def start(self) -> None:
        """See that there are credentials, and build the image."""
        boto3.client("sts", region_name=self._region).get_caller_identity()
        run(*SAM, "build", "--build-dir", self.folder / "build", environ=self.environ)

    def stop(self) -> None:
        """Nothing was started."""

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """`sam deploy` the template as it is."""
        template = self.folder / "build/template.yaml"
        self.sam_deploy(template, parameters, "--region", self._region, "--resolve-image-repos")

    def delete(self) -> None:
        """Delete the stack with its image repository, and the bucket that it retains."""
        bucket = self._bucket()
        run(
            *SAM,
            *("delete", "--stack-name", self.stack_name, "--region", self._region, "--no-prompts"),
            environ=self.environ,
            folder=self.folder,  # away from the user's samconfig.toml
        )
        if bucket is not None:
            remove_bucket(bucket)

    def log_group(self, function: str) -> str:
        """The template's own group."""
        return self._resource("LogGroup")

    def logs(self) -> Mapping[str, str]:
        """What the functions logged."""
        return {"the functions": "\n".join(self.function_log(""))}

    def _bucket(self) -> str | None:
        try:
            return self._resource("FailuresBucket")
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None  # it came to no bucket

    def _resource(self, logical_id: str) -> str:
        answer = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack_name, LogicalResourceId=logical_id
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])


def remove_bucket(name: str) -> None:
    """Delete a bucket and all that is in it."""
    bucket = boto3.resource("s3").Bucket(name)
    bucket.objects.all().delete()
    bucket.delete()
