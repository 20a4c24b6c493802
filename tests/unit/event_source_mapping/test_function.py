import os
from pathlib import Path
from typing import Any

import pytest

from event_source_mapping.function import FunctionFailed, InProcessFunction
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.template import Function

SOURCE = """
import os
import threading
NAME = os.environ["NAME"]
TEST_RUN = os.environ.get("TEST_RUN")

def handler(event, context):
    if "fail" in event:
        raise ValueError(event["fail"])
    if "exit" in event:
        raise SystemExit(event["exit"])
    left = context.get_remaining_time_in_millis()
    return {"name": NAME, "test_run": TEST_RUN, "event": event, "left": left}

def tells_variables(event, context):
    seen = dict(os.environ)
    os.environ["CALLS"] = os.environ.get("CALLS", "") + "I"
    return seen

def tells_context(event, context):
    return {name: value for name, value in vars(context).items() if not name.startswith("_")}

def answers_no_json(event, context):
    return {"answer": object()}

CALLS = []

def hangs_once(event, context):
    CALLS.append(event)
    if "hang" in event:
        threading.Event().wait(60)
    return {"calls": len(CALLS)}
"""


def function(
    folder: Path, name: str, handler: str = "entry.handler", timeout: int = 30, **environ: str
) -> Any:
    (folder / "entry.py").write_text(SOURCE)
    template = Function(name, handler, {"NAME": name}, timeout_seconds=timeout, mappings=[])
    return InProcessFunction(template, folder, environ)


def test_invoke_hands_over_event_and_context(tmp_path: Path) -> None:
    """The handler gets the event as JSON, and a context that knows the timeout."""
    answer = function(tmp_path, "one").invoke({"rides": (1, 2)})

    assert answer["event"] == {"rides": [1, 2]}
    assert 29_000 < answer["left"] <= 30_000


def test_functions_of_one_module_have_their_own_environment(tmp_path: Path) -> None:
    """Two functions of one image each see their own variables, and this process sees neither."""
    one, two = function(tmp_path, "one"), function(tmp_path, "two")

    assert (one.invoke({})["name"], two.invoke({})["name"]) == ("one", "two")
    assert "NAME" not in os.environ


def test_invoke_shows_a_function_its_variables_and_keeps_what_it_sets(tmp_path: Path) -> None:
    """A handler that reads `os.environ` finds its template's variables, and Lambda's own."""
    telling = function(tmp_path, "one", "entry.tells_variables")

    first, second = telling.invoke({}), telling.invoke({})

    assert first["NAME"] == "one"
    assert first["AWS_LAMBDA_FUNCTION_NAME"] == "one"
    assert first["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert "CALLS" not in first
    assert second["CALLS"] == "I"
    assert not {"NAME", "CALLS", "AWS_LAMBDA_FUNCTION_NAME"} & os.environ.keys()


def test_invoke_context_is_lambdas(tmp_path: Path) -> None:
    """A handler is told who it is, in the forms of Lambda's Python runtime."""
    telling = function(tmp_path, "one", "entry.tells_context", AWS_DEFAULT_REGION="eu-west-1")

    first, second = telling.invoke({}), telling.invoke({})

    assert first.pop("aws_request_id") != second.pop("aws_request_id")
    assert first.pop("log_stream_name").startswith("local/[$LATEST]")
    assert first == {
        "function_name": "one",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:one",
        "memory_limit_in_mb": "128",
        "log_group_name": "/aws/lambda/one",
    }


def test_invoke_handler_that_raises_is_a_failed_invocation(tmp_path: Path) -> None:
    """An exception is a function error with its type and message."""
    with pytest.raises(FunctionFailed, match="ValueError: broken"):
        function(tmp_path, "one").invoke({"fail": "broken"})


def test_invoke_handler_that_exits_is_a_failed_invocation(tmp_path: Path) -> None:
    """A handler that ends its process is a function error, and not this process's end."""
    with pytest.raises(FunctionFailed, match="SystemExit: 3"):
        function(tmp_path, "one").invoke({"exit": 3})


def test_invoke_that_times_out_fails_and_the_next_has_a_new_environment(tmp_path: Path) -> None:
    """A handler that hangs is a timeout, and nothing of its environment is left to the next."""
    hanging = function(tmp_path, "one", "entry.hangs_once", timeout=1)

    with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds"):
        hanging.invoke({"hang": True})

    assert hanging.invoke({}) == {"calls": 1}


def test_function_sees_nothing_of_this_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of this process is none of the function's, as on Lambda."""
    monkeypatch.setenv("TEST_RUN", "yes")

    assert function(tmp_path, "one").invoke({})["test_run"] is None


def test_invoke_answer_that_is_no_json_is_a_failed_invocation(tmp_path: Path) -> None:
    """An answer that Lambda could not send is a function error."""
    with pytest.raises(FunctionFailed, match="object"):
        function(tmp_path, "one", "entry.answers_no_json").invoke({})


def test_function_without_its_module_is_named(tmp_path: Path) -> None:
    """A handler that names no file is an error with the path."""
    with pytest.raises(
        TemplateError, match=r"one: there is no .*/missing\.py for missing\.handler"
    ):
        function(tmp_path, "one", "missing.handler")
