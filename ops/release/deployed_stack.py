"""A deployed stack, whose parameters can be changed."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict, overload

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.parsers import ResponseParserError

from cli.terminal import OpsError

if TYPE_CHECKING:
    from typing import Unpack

    from botocore.client import ClientMeta
    from botocore.waiter import Waiter
    from types_boto3_cloudformation.type_defs import (
        CreateChangeSetInputTypeDef,
        ExecuteChangeSetInputTypeDef,
        ParameterTypeDef,
        StackTypeDef,
        WaiterConfigTypeDef,
    )

# States of a stack that can be updated, and what helps in others ("Stack status codes", AWS
# CloudFormation User Guide).
_READY = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
_REMEDIES = {
    "UPDATE_FAILED": "run 'aws cloudformation rollback-stack --stack-name {name}' first",
    "UPDATE_ROLLBACK_FAILED": (
        "run 'aws cloudformation continue-update-rollback --stack-name {name}' first"
    ),
    "REVIEW_IN_PROGRESS": "it was never deployed: run 'sam build && sam deploy --guided'",
}
_BUSY = (
    "try again when that has ended (see 'aws cloudformation describe-stack-events "
    "--stack-name {name}')"
)
_DEAD = "it must be deleted and deployed anew"

Parameters = Mapping[str, str]


class CloudFormation(Protocol):
    """The part of boto3's CloudFormation client that is used here."""

    @property
    def meta(self) -> "ClientMeta":
        """Tells the region."""
        ...

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:
        """The stack."""
        ...

    def create_change_set(
        self, **request: "Unpack[CreateChangeSetInputTypeDef]"
    ) -> Mapping[str, Any]:
        """Propose a change."""
        ...

    def execute_change_set(
        self, **request: "Unpack[ExecuteChangeSetInputTypeDef]"
    ) -> Mapping[str, Any]:
        """Make a proposed change."""
        ...

    def describe_stack_events(self, *, StackName: str) -> Mapping[str, Any]:
        """What happened to the stack, the last first."""
        ...

    @overload
    def get_waiter(self, name: Literal["change_set_create_complete"], /) -> "Waiter": ...
    @overload
    def get_waiter(self, name: Literal["stack_update_complete"], /) -> "Waiter": ...


class _Names(TypedDict):
    """What names a change set."""

    StackName: str
    ChangeSetName: str


class DeployedStack:
    """A stack made from template.yaml.

    Args:
        client: boto3's CloudFormation client.
        name: Name of the stack.
        poll_seconds: How long to wait before CloudFormation is asked again.
        polls: How often it is asked.
    """

    def __init__(
        self, client: CloudFormation, name: str, *, poll_seconds: int = 2, polls: int = 450
    ) -> None:
        self._client = client
        self.name = name
        self._patience: WaiterConfigTypeDef = {"Delay": poll_seconds, "MaxAttempts": polls}

    def parameters(self) -> dict[str, str]:
        """The values that its parameters have.

        Raises:
            OpsError: There is no such stack.
        """
        parameters = self._read().get("Parameters", [])
        return {p["ParameterKey"]: p.get("ParameterValue", "") for p in parameters}

    def require_ready(self) -> None:
        """Refuse a stack that CloudFormation would not update now.

        Raises:
            OpsError: There is no such stack, or it is in such a state.
        """
        status = self._read()["StackStatus"]
        if status not in _READY:
            raise OpsError(f"{self.name} is in {status}: {self._remedy(status)}")

    def update(self, changes: Parameters) -> None:
        """Change parameters, keep all else, and wait until the functions have them.

        Raises:
            OpsError: CloudFormation refuses the change, rolls it back, or goes on unwatched.
        """
        names: _Names = {"StackName": self.name, "ChangeSetName": f"release-{uuid.uuid4()}"}
        self._propose(names, changes)
        # Every event of this update has the token ("StackEvent", AWS CloudFormation API Reference).
        token = names["ChangeSetName"]
        try:
            self._client.execute_change_set(**names, ClientRequestToken=token)
            self._client.get_waiter("stack_update_complete").wait(
                StackName=self.name, WaiterConfig=self._patience
            )
        except ClientError as error:
            raise OpsError(f"{self.name} is unchanged: {error}") from None
        except (BotoCoreError, ResponseParserError, KeyboardInterrupt) as error:
            raise OpsError(self._account(error, token)) from None

    def _read(self) -> "StackTypeDef":
        try:
            (stack,) = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise OpsError(f"the stack {self.name!r} cannot be read: {error}") from None
            raise OpsError(
                f"there is no stack {self.name!r} in {self._client.meta.region_name}; deploy it "
                "first with 'sam build && sam deploy --guided', or set STACK, AWS_DEFAULT_REGION "
                "or AWS_PROFILE"
            ) from None
        description: StackTypeDef = stack
        return description

    def _propose(self, names: _Names, changes: Parameters) -> None:
        parameters: list[ParameterTypeDef] = [
            {"ParameterKey": key, "ParameterValue": changes[key]}
            if key in changes
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in self.parameters()
        ]
        try:
            self._client.create_change_set(
                **names,
                UsePreviousTemplate=True,
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
                Parameters=parameters,
            )
            self._client.get_waiter("change_set_create_complete").wait(
                **names, WaiterConfig=self._patience
            )
        except (ClientError, BotoCoreError) as error:
            reason = _last_response(error).get("StatusReason") or error
            raise OpsError(f"{self.name} is unchanged: {reason}") from None

    def _account(self, error: BaseException, token: str) -> str:
        """What to tell of an update that did not come to its good end."""
        stacks = _last_response(error).get("Stacks") or [{}]
        status = stacks[0].get("StackStatus", "")
        if status == "UPDATE_ROLLBACK_COMPLETE":
            return f"{self.name} serves what it did before, after {self._failure(token)}"
        if status in _REMEDIES:
            return f"{self.name} is in {status}: {self._remedy(status)}; {self._failure(token)}"
        why = "interrupted" if isinstance(error, KeyboardInterrupt) else error
        return (
            f"CloudFormation goes on updating {self.name}, but it is not waited for any more "
            f"({why}); 'aws cloudformation wait stack-update-complete --stack-name {self.name}' "
            "waits on"
        )

    def _failure(self, token: str) -> str:
        """The first thing that failed in an update."""
        try:
            events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        except (ClientError, BotoCoreError) as error:
            return f"a failure whose reason cannot be read: {error}"
        for event in reversed(events):
            mine, status = event.get("ClientRequestToken") == token, event["ResourceStatus"]
            if mine and (status.endswith("_FAILED") or "ROLLBACK" in status):
                reason = event.get("ResourceStatusReason", "no reason given")
                return f"{status} of {event['LogicalResourceId']}: {reason}"
        return f"what 'aws cloudformation describe-stack-events --stack-name {self.name}' shows"

    def _remedy(self, status: str) -> str:
        other = _BUSY if status.endswith("_IN_PROGRESS") else _DEAD
        return _REMEDIES.get(status, other).format(name=self.name)


def _last_response(error: BaseException) -> Mapping[str, Any]:
    return error.last_response if isinstance(error, WaiterError) else {}
