"""The stack on LocalStack: what its template and its deployment have in common in both ways."""

import json
import os
import urllib.request
from abc import abstractmethod
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from event_source_mapping.emulator import NO_AWS_FILES
from event_source_mapping.runtime import RuntimeFunction
from harness.cloud import Cloud
from tests.sam_transform import source, transformed

# LocalStack has no ECR without a licence; it wants an address that looks like one.
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ride-predictions:integration-test"
REGION = "us-east-1"


class EmulatedCloud(Cloud):
    """What LocalStack does the same in both ways."""

    changes = (
        "ImageUri is given: building and pushing an image needs a container engine and ECR, which "
        "LocalStack has only with a licence",
        "SAM's translator runs before `sam deploy`: LocalStack does not resolve the names that SAM "
        "makes up, such as DurationFunctionRides",
        "LocalStack leaves out the dashboard and the metric filter, which it does not know",
    )
    endpoint: str
    stack_name = "rides"
    parameters: Mapping[str, str] = MappingProxyType({})

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that lead AWS clients there, and nowhere else."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "MLFLOW_", "MODEL_"))
        }
        return {
            **ours,
            **NO_AWS_FILES,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "SAM_CLI_TELEMETRY": "0",
        }

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """`sam deploy` the project's template, changed as `changes` says."""
        document = source()
        for resource in document["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["ImageUri"] = IMAGE
                resource.pop("Metadata", None)
        template = self.folder / "template.json"
        template.write_text(json.dumps(transformed(document), indent=1))
        self.sam_deploy(template, parameters, "--image-repository", IMAGE.rpartition(":")[0])

    def delete(self) -> None:
        """Nothing: it goes with LocalStack."""

    def log_group(self, function: str) -> str:
        """LocalStack logs here whatever a function's LoggingConfig says."""
        return f"/aws/lambda/{function}"

    @abstractmethod
    def run_function(self, environ: Mapping[str, str], model: Path) -> RuntimeFunction:
        """Run the function by itself, in the Lambda runtime, with these variables and no others.

        Args:
            environ: Its variables; `{endpoint}` and `{model}` in them stand for where the function
                finds the emulator and the model.
            model: Folder of a model.
        """

    def set(self, variable: str, value: float) -> None:
        """Change one of LocalStack's settings while it runs."""
        self._request("/_localstack/config", {"variable": variable, "value": value})

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            self._request("/_localstack/health")
        except OSError:
            return False
        return True

    def _request(self, path: str, body: object = None) -> None:
        request = urllib.request.Request(
            self.endpoint + path, None if body is None else json.dumps(body).encode()
        )
        past_proxies = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with past_proxies.open(request, timeout=5) as answer:
            if answer.status != HTTPStatus.OK:
                raise OSError(f"{path} answered {answer.status}")
