import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserError

from cli.terminal import OpsError
from ops.release.__main__ import main
from ops.release.deployed_stack import DeployedStack
from ops.release.release import prefixes, read, release, rollback, written
from ops.release.samconfig import stale_overrides
from ops.stack_template import render
from tests.unit.ops.release.cloudformation import (
    PARAMETERS,
    RELEASED,
    STACK,
    FakeCloudFormation,
    refusal,
)

MODEL = {"RunId": "new", "ModelSha256": "2" * 64, "ModelId": ""}


def stack(client: FakeCloudFormation, name: str = STACK) -> DeployedStack:
    return DeployedStack(client, name, poll_seconds=0, polls=3)


def failure(client: FakeCloudFormation) -> str:
    """The message of a rollback that is not made, which is one line."""
    with pytest.raises(OpsError) as caught:
        rollback(stack(client))
    return str(caught.value)


def test_rollback_brings_back_exactly_what_was_before() -> None:
    """Both predictors' runs are set back, and all else is kept."""
    client = FakeCloudFormation(RELEASED)

    done = rollback(stack(client))

    assert client.changes == {
        "RunId": "older",
        "ModelSha256": "",
        "ModelId": "m-1",
        "TipRunId": "tips",
        "TipModelSha256": "1" * 64,
        "TipModelId": "",
        "PreviousRelease": f"RunId=old ModelSha256={'0' * 64} ModelId= TipRunId= "
        "TipModelSha256= TipModelId=",
    }
    assert client.kept == RELEASED.keys() - client.changes.keys()
    assert client.requests["CreateChangeSet"]["UsePreviousTemplate"] is True
    assert "TemplateBody" not in client.requests["CreateChangeSet"]
    assert done == "rides serves run older for duration and run tips for tip again"


def test_rollback_twice_returns() -> None:
    """The second rollback undoes the first one."""
    client = FakeCloudFormation(RELEASED)

    rollback(stack(client))
    rollback(stack(client))

    assert client.parameters == RELEASED


def test_rollback_without_release_says_so() -> None:
    """There is nothing to go back to on a stack as it was deployed."""
    client = FakeCloudFormation()

    assert failure(client) == "rides has had no release to go back from"
    assert client.requests == {}


def test_rollback_to_what_is_served_already_is_refused() -> None:
    """A deployment may have brought back already what a rollback would bring."""
    client = FakeCloudFormation({**PARAMETERS, "PreviousRelease": written(PARAMETERS)})

    assert failure(client) == "rides serves run old for duration already, as before its release"
    assert client.requests == {}


@pytest.mark.parametrize("text", ["RunId=a", "nonsense", written(PARAMETERS) + " More=b"])
def test_rollback_to_something_else_is_refused(text: str) -> None:
    """A PreviousRelease that was set by hand must give all that a release sets."""
    client = FakeCloudFormation({**PARAMETERS, "PreviousRelease": text})

    assert failure(client).startswith(f"PreviousRelease is {text!r}; it must give RunId, ")
    assert client.requests == {}


def with_third_predictor(parameters: dict[str, str]) -> dict[str, str]:
    """Return the parameters of a stack to which `make predictor NAME=surge` added a predictor."""
    template = render(["duration", "tip", "surge"])
    added = re.findall(r"^  (Surge\w+):\n    Type: String$", template, re.MULTILINE)
    return {**parameters, **dict.fromkeys(added, "")}


def test_prefixes_are_those_of_the_template() -> None:
    """A predictor that was added to the template is one, as the first two are."""
    assert prefixes(PARAMETERS) == {"duration": "", "tip": "Tip"}
    assert prefixes(with_third_predictor(PARAMETERS)) == {
        "duration": "",
        "surge": "Surge",
        "tip": "Tip",
    }


def test_release_for_a_predictor_that_is_not_deployed_names_those_that_are() -> None:
    """A name that is mistyped, or in the working copy's template only, changes nothing."""
    client = FakeCloudFormation()

    with pytest.raises(OpsError, match="^PREDICTOR='surge' is not allowed; it must be one of dura"):
        release(stack(client), "surge", MODEL)
    assert client.requests == {}


def test_rollback_to_before_a_predictor_was_added_leaves_it_as_it_is() -> None:
    """The release that is gone back from was made before the template had a third one."""
    client = FakeCloudFormation({**with_third_predictor(RELEASED), "SurgeRunId": "surges"})

    rollback(stack(client))

    assert client.changes.keys() == {
        *read(RELEASED["PreviousRelease"], RELEASED),
        "PreviousRelease",
    }
    assert client.parameters["SurgeRunId"] == "surges"
    rollback(stack(client))
    assert client.parameters["RunId"] == RELEASED["RunId"]
    assert client.parameters["SurgeRunId"] == "surges"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("UPDATE_IN_PROGRESS", "try again when that has ended"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "try again when that has ended"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "try again when that has ended"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name rides' first"),
        ("UPDATE_FAILED", "rollback-stack --stack-name rides' first"),
        ("ROLLBACK_COMPLETE", "it must be deleted and deployed anew"),
        ("REVIEW_IN_PROGRESS", "it was never deployed: run 'sam build && sam deploy --guided'"),
    ],
)
def test_stack_that_cannot_be_updated_is_refused_with_what_to_do(status: str, remedy: str) -> None:
    """Each state in which CloudFormation takes no update is told of before anything else."""
    client = FakeCloudFormation(RELEASED, status)

    assert failure(client).startswith(f"rides is in {status}: ")
    assert remedy in failure(client)
    with pytest.raises(OpsError, match=f"^rides is in {status}: "):
        release(stack(client), "duration", MODEL)
    assert client.requests == {}


def test_stack_whose_last_update_was_rolled_back_can_be_updated() -> None:
    """After a failed update, a release is what is wanted."""
    client = FakeCloudFormation(RELEASED, "UPDATE_ROLLBACK_COMPLETE")

    rollback(stack(client))

    assert client.parameters["RunId"] == "older"


def test_stack_that_does_not_exist_is_named_with_its_region() -> None:
    """The region is told, because it is what is wrong most often."""
    with pytest.raises(OpsError, match="^there is no stack 'other' in eu-west-1; deploy it"):
        rollback(stack(FakeCloudFormation(), "other"))


def test_stack_that_cannot_be_read_gives_the_reason() -> None:
    """An expired token is no reason to deploy anything."""
    client = FakeCloudFormation()
    client.errors["DescribeStacks"] = refusal("DescribeStacks", "ExpiredToken", "it is expired")

    assert failure(client).startswith("the stack 'rides' cannot be read: ")
    assert "it is expired" in failure(client)


@pytest.mark.parametrize("parameters", [{}, {"RunId": "a"}])
def test_stack_of_another_template_is_refused(parameters: dict[str, str]) -> None:
    """A stack without this template's parameters is left alone."""
    client = FakeCloudFormation(parameters)

    assert "'rides' has no parameters ModelId, ModelSha256, PreviousRelease" in failure(client)
    assert client.requests == {}


def test_release_of_what_is_served_is_refused() -> None:
    """It would forget what to roll back to."""
    client = FakeCloudFormation(RELEASED)
    served = {name: PARAMETERS[name] for name in MODEL}

    with pytest.raises(OpsError, match="^rides serves run old already$"):
        release(stack(client), "duration", served)
    assert client.requests == {}


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
def test_update_that_is_refused_gives_the_reason(operation: str) -> None:
    """CloudFormation's refusal is passed on; until a change set is executed, nothing changes."""
    client = FakeCloudFormation(RELEASED)
    client.errors[operation] = refusal(operation, "AccessDenied", "not for you")

    assert failure(client).startswith("rides is unchanged: ")
    assert "not for you" in failure(client)


def test_update_change_set_that_fails_gives_the_reason() -> None:
    """The reason is CloudFormation's, not the waiter's."""
    client = FakeCloudFormation(RELEASED)
    client.change_set_failure = "The submitted information didn't contain changes."

    assert failure(client) == f"rides is unchanged: {client.change_set_failure}"
    assert "ExecuteChangeSet" not in client.requests


def event(status: str, name: str, reason: str = "", token: str = "") -> dict[str, str]:
    """One event of a stack; without a token of its own, of the update."""
    told = {
        "ResourceStatus": status,
        "LogicalResourceId": name,
        "ClientRequestToken": token or FakeCloudFormation.TOKEN,
    }
    return {**told, "ResourceStatusReason": reason} if reason else told


EVENTS = [
    event("UPDATE_FAILED", "DurationFunction", "last week's", token="another"),
    event("UPDATE_IN_PROGRESS", STACK, "User Initiated"),
    event("UPDATE_FAILED", "DurationRole", "no such policy"),
    event("UPDATE_FAILED", "DurationFunction", "Resource update cancelled"),
    event("UPDATE_ROLLBACK_IN_PROGRESS", STACK, "The following resource(s) failed to update"),
]


def test_update_that_is_rolled_back_gives_the_first_failure() -> None:
    """What failed first is the cause; what was cancelled, and what failed before, is not."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    client.events = EVENTS

    assert failure(client) == (
        "rides serves what it did before, after UPDATE_FAILED of DurationRole: no such policy"
    )


def test_update_whose_rollback_fails_says_what_to_do() -> None:
    """A stack that is stuck is told of as such."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_ROLLBACK_FAILED"]
    client.events = EVENTS

    assert failure(client) == (
        "rides is in UPDATE_ROLLBACK_FAILED: run 'aws cloudformation continue-update-rollback "
        "--stack-name rides' first; UPDATE_FAILED of DurationRole: no such policy"
    )


def test_update_that_is_cancelled_gives_the_reason() -> None:
    """An update that somebody cancels has no resource that failed."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_ROLLBACK_COMPLETE"]
    client.events = [event("UPDATE_ROLLBACK_IN_PROGRESS", STACK, "User Initiated")]

    assert failure(client) == (
        "rides serves what it did before, after "
        "UPDATE_ROLLBACK_IN_PROGRESS of rides: User Initiated"
    )


def test_update_whose_events_tell_nothing_says_where_to_look() -> None:
    """Without a reason, the command that shows the events is named."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_ROLLBACK_COMPLETE"]

    assert "describe-stack-events --stack-name rides' shows" in failure(client)


def test_update_whose_events_cannot_be_read_says_so() -> None:
    """That the update was rolled back is told in any case."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_ROLLBACK_COMPLETE"]
    client.errors["DescribeStackEvents"] = refusal("DescribeStackEvents", "AccessDenied", "no")

    assert failure(client).startswith("rides serves what it did before, after a failure whose")


def test_update_that_takes_too_long_goes_on() -> None:
    """The end of the patience is not the end of the update."""
    client = FakeCloudFormation(RELEASED)
    client.statuses = ["UPDATE_IN_PROGRESS"]

    message = failure(client)

    assert message.startswith("CloudFormation goes on updating rides, but it is not waited for")
    assert "Max attempts exceeded" in message


class BreaksInTheWait(FakeCloudFormation):
    """A CloudFormation whose caller does not see the end of an update."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(RELEASED)
        self._error = error

    def execute_change_set(self, **request: object) -> dict[str, object]:
        answer = super().execute_change_set(**request)
        self.errors["DescribeStacks"] = self._error
        return answer


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (KeyboardInterrupt(), "(interrupted)"),
        (EndpointConnectionError(endpoint_url="https://aws"), "Could not connect"),
        (refusal("DescribeStacks", "ExpiredToken", "it is expired"), "it is expired"),
    ],
)
def test_update_that_is_not_seen_to_its_end_goes_on(error: BaseException, why: str) -> None:
    """Ctrl-C, a lost network and an expired token end the wait, not the update."""
    message = failure(BreaksInTheWait(error))

    assert message.startswith("CloudFormation goes on updating rides")
    assert why in message
    assert message.endswith(
        "'aws cloudformation wait stack-update-complete --stack-name rides' waits on"
    )


def stale(samconfig: Path, parameters: dict[str, str]) -> list[str]:
    others = {"ModelBucket", "ExperimentId"}
    return stale_overrides(
        samconfig, STACK, {n: parameters[n] for n in parameters if n not in others}
    )


@pytest.fixture
def samconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a samconfig.toml goes that the command reads."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "samconfig.toml"


GUIDED = 'ModelBucket=\\"b\\" RunId=\\"stale\\" TipRunId=\\"\\" ModelSha256=\\"\\"'


@pytest.mark.parametrize(
    "overrides",
    [
        f'"{GUIDED}"',
        f"'{GUIDED.replace(chr(92), '')}'",
        "'RunId=stale ModelSha256=other TipModelId='",
        '["RunId=stale", "ModelSha256=other"]',
        "[{RunId = 'stale', TipRunId = ''}, 'ModelSha256=\"\"']",
        "{RunId = 'stale', ModelSha256 = ''}",
        "'ParameterKey=RunId,ParameterValue=stale ParameterKey=ModelSha256,ParameterValue=other'",
        "'ModelSha256=other PreviousRelease=\"\" RunId=stale'",
    ],
)
def test_overrides_that_are_stale_are_found_however_they_are_written(
    samconfig: Path, overrides: str
) -> None:
    """SAM takes a string, a table, or a list of both."""
    samconfig.write_text(f"[default.deploy.parameters]\nparameter_overrides = {overrides}\n")

    assert stale(samconfig, PARAMETERS) == ["RunId", "ModelSha256"]


def test_overrides_previous_release_is_one_value(samconfig: Path) -> None:
    """The runs in it are not taken for parameters, and that it is stale is told."""
    samconfig.write_text(
        "[default.deploy.parameters]\n"
        f'parameter_overrides = \'RunId="old" PreviousRelease="{RELEASED["PreviousRelease"]}"\''
    )

    assert stale(samconfig, RELEASED) == []
    assert stale(samconfig, PARAMETERS) == ["PreviousRelease"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("version = 0.1", []),
        ("[default.deploy]\nparameters = 3", []),
        # SAM takes an empty value only in quotes.
        ("[default.deploy.parameters]\nparameter_overrides = 'RunId= ModelId=m-1'", ["ModelId"]),
        ("[default.build.parameters]\nparameter_overrides = 'RunId=stale'", []),
        ("[default.global.parameters]\nparameter_overrides = 'RunId=stale'", ["RunId"]),
        ("[prod.deploy.parameters]\nparameter_overrides = 'RunId=stale'", ["RunId"]),
        (
            "[prod.global.parameters]\nstack_name = 'another'\n"
            "[prod.deploy.parameters]\nparameter_overrides = 'RunId=stale'",
            [],
        ),
        (
            "[prod.global.parameters]\nstack_name = 'rides'\n"
            "[prod.deploy.parameters]\nparameter_overrides = 'RunId=stale'",
            ["RunId"],
        ),
    ],
)
def test_overrides_count_if_a_deployment_of_the_stack_has_them(
    samconfig: Path, text: str, found: list[str]
) -> None:
    """Other commands, and deployments of other stacks, are no matter."""
    samconfig.write_text(text)

    assert stale(samconfig, PARAMETERS) == found


def run(*arguments: str, client: FakeCloudFormation | None = None) -> int:
    return main(["--stack", STACK, *arguments], lambda _: client or FakeCloudFormation(RELEASED))


def test_main_warns_of_each_stale_override(
    samconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the account of the rollback, a line for each parameter."""
    samconfig.write_text(
        '[default.deploy.parameters]\nparameter_overrides = \'RunId="old" ModelId=""\''
    )

    assert run("rollback") == 0
    assert capsys.readouterr().err == (
        "rides serves run older for duration and run tips for tip again\n"
        "samconfig.toml has another RunId: take it out of parameter_overrides, "
        "or the next sam deploy brings it back\n"
        "samconfig.toml has another ModelId: take it out of parameter_overrides, "
        "or the next sam deploy brings it back\n"
    )


@pytest.mark.parametrize("content", [b"[default", b"\xff", b"a = 1\na = 2"])
def test_main_broken_samconfig_does_not_fail_a_rollback(
    samconfig: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """What is done is told as done."""
    samconfig.write_bytes(content)

    assert run("rollback") == 0
    done, warning = capsys.readouterr().err.splitlines()
    assert done == "rides serves run older for duration and run tips for tip again"
    assert warning.startswith("samconfig.toml was not compared with the stack: ")


def test_main_refusal_is_one_line_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """What CloudFormation breaks into lines is joined."""
    client = FakeCloudFormation(RELEASED)
    client.change_set_failure = "Template error:\n  no"

    assert run("rollback", client=client) == 1
    assert capsys.readouterr().err == "rides is unchanged: Template error: no\n"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://aws"),
        ResponseParserError("invalid XML received: b'<html>'\n"),
    ],
)
def test_main_no_answer_is_one_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """No network, or an emulator that has no CloudFormation, is no reason for a traceback."""
    client = FakeCloudFormation(RELEASED)
    client.errors["DescribeStacks"] = error

    assert run("rollback", client=client) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("AWS does not answer, and nothing has changed: ")


def test_main_interrupt_before_the_change_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C before the change set is executed changes nothing."""
    client = FakeCloudFormation(RELEASED)
    client.errors["DescribeChangeSet"] = KeyboardInterrupt()

    assert run("rollback", client=client) == 130
    assert capsys.readouterr().err == "interrupted; nothing has changed\n"


def test_main_empty_stack_is_the_default_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Make passes an empty STACK where none is given."""
    assert main(["--stack", "", "rollback"], lambda _: FakeCloudFormation()) == 1
    assert "there is no stack 'ride-predictions'" in capsys.readouterr().err


@pytest.mark.parametrize(("run_id", "digest"), [("", "0" * 64), ("new", "")])
def test_main_release_without_run_or_digest_is_refused(
    run_id: str, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Make passes empty strings for what is not given."""
    with pytest.raises(SystemExit):
        run("release", "--run-id", run_id, "--model-sha256", digest, "--model-id", "")
    assert "it is empty: RUN_ID=… MODEL_SHA256=…, as training prints" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("run_id", "digest", "said"),
    [
        ("a/b", "0" * 64, "RUN_ID='a/b' is not allowed; it must be letters, digits and _ . -"),
        ("abc", "zz", "MODEL_SHA256='zz' is not allowed; it must be 64 lower-case hexadecimal"),
        ("abc", "A" * 64, f"MODEL_SHA256={'A' * 64!r} is not allowed; it must be 64 lower-case"),
    ],
)
def test_main_release_of_what_cannot_be_a_run_is_refused_before_aws_is_asked(
    run_id: str, digest: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in an ID or a digest is told by its name, without an account."""

    def connect(_: str) -> Any:
        raise AssertionError("AWS was asked")

    assert main(["release", "--run-id", run_id, "--model-sha256", digest], connect) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nothing is released: {said}")
