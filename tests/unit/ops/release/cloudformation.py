"""A CloudFormation in memory, with botocore's own waiters and its own check of requests."""

from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from botocore.waiter import NormalizedOperationMethod, Waiter

STACK = "rides"
REGION = "eu-west-1"
PARAMETERS = {
    "ModelBucket": "mlflow-models",
    "ExperimentId": "1",
    "RunId": "old",
    "ModelSha256": "0" * 64,
    "ModelId": "",
    "TipRunId": "",
    "TipModelSha256": "",
    "TipModelId": "",
    "BatchSize": "1000",
    "PreviousRelease": "",
}
# What a second release wrote, after one of the run `older`.
RELEASED = {
    **PARAMETERS,
    "PreviousRelease": "RunId=older ModelSha256= ModelId=m-1 TipRunId=tips TipModelSha256="
    + "1" * 64
    + " TipModelId=",
}

_SESSION = botocore.session.get_session()
_SERVICE = _SESSION.get_service_model("cloudformation")
_WAITERS = _SESSION.get_waiter_model("cloudformation")


def refusal(operation: str, code: str, message: str) -> ClientError:
    """What boto3 raises when CloudFormation refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeCloudFormation:
    """One stack, which a change set changes at once.

    Args:
        parameters: Those of the stack.
        status: Of the stack.

    Attributes:
        parameters: Those of the stack now.
        requests: What was asked of each operation that changes something.
        errors: What an operation raises, by its name.
        change_set_failure: Why a change set cannot be made, if so.
        statuses: Those that the stack goes through once a change set is executed.
        events: Of the stack, the first one first; `TOKEN` stands for that of the update.
    """

    TOKEN = "the token of the update"

    def __init__(
        self, parameters: dict[str, str] = PARAMETERS, status: str = "UPDATE_COMPLETE"
    ) -> None:
        self.meta: Any = SimpleNamespace(region_name=REGION)
        self.parameters = dict(parameters)
        self.requests: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, BaseException] = {}
        self.change_set_failure = ""
        self.statuses = ["UPDATE_COMPLETE"]
        self.events: list[dict[str, str]] = []
        self._status = [status]

    def describe_stacks(self, **request: Any) -> dict[str, Any]:
        self._check("DescribeStacks", request)
        if request["StackName"] != STACK:
            message = f"Stack with id {request['StackName']} does not exist"
            raise refusal("DescribeStacks", "ValidationError", message)
        status = self._status.pop(0) if len(self._status) > 1 else self._status[0]
        pairs = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        stack = {"StackName": STACK, "StackStatus": status}
        return {"Stacks": [{**stack, "Parameters": pairs} if pairs else stack]}

    def create_change_set(self, **request: Any) -> dict[str, Any]:
        self._check("CreateChangeSet", request)
        self.requests["CreateChangeSet"] = request
        return {}

    def describe_change_set(self, **request: Any) -> dict[str, Any]:
        self._check("DescribeChangeSet", request)
        if self.change_set_failure:
            return {"Status": "FAILED", "StatusReason": self.change_set_failure}
        return {"Status": "CREATE_COMPLETE"}

    def execute_change_set(self, **request: Any) -> dict[str, Any]:
        self._check("ExecuteChangeSet", request)
        self.requests["ExecuteChangeSet"] = request
        self._status = list(self.statuses)
        if self.statuses == ["UPDATE_COMPLETE"]:
            self.parameters = self.parameters | self.changes
        return {}

    def describe_stack_events(self, **request: Any) -> dict[str, Any]:
        self._check("DescribeStackEvents", request)
        token = self.requests["ExecuteChangeSet"].get("ClientRequestToken", "")
        last_first = reversed(self.events)
        return {
            "StackEvents": [
                {k: v.replace(self.TOKEN, token) for k, v in e.items()} for e in last_first
            ]
        }

    def get_waiter(self, name: str) -> Waiter:
        config = _WAITERS.get_waiter("".join(word.capitalize() for word in name.split("_")))
        operation = {"DescribeStacks": self.describe_stacks}.get(
            config.operation, self.describe_change_set
        )
        # The stubs want a method without an answer, and a mapping for a configuration.
        method = NormalizedOperationMethod(operation)  # type: ignore[arg-type]
        return Waiter(name, config, method)  # type: ignore[arg-type]

    @property
    def changes(self) -> dict[str, str]:
        """The parameters that the change set has values for."""
        return {
            parameter["ParameterKey"]: parameter["ParameterValue"]
            for parameter in self.requests["CreateChangeSet"]["Parameters"]
            if "ParameterValue" in parameter
        }

    @property
    def kept(self) -> set[str]:
        """The parameters whose values the change set keeps."""
        return {
            parameter["ParameterKey"]
            for parameter in self.requests["CreateChangeSet"]["Parameters"]
            if parameter.get("UsePreviousValue")
        }

    def _check(self, operation: str, request: dict[str, Any]) -> None:
        shape = _SERVICE.operation_model(operation).input_shape
        assert shape is not None
        problems = ParamValidator().validate(request, shape)
        assert not problems.has_errors(), problems.generate_report()
        if operation in self.errors:
            raise self.errors[operation]
