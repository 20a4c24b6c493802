"""Invoking what answers as aws-lambda-rie does; the shapes are those it was seen to answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import pytest

from event_source_mapping.function import FunctionFailed, FunctionNotReached
from event_source_mapping.runtime import INVOCATIONS, RuntimeFunction
from tests import http_server
from tests.http_server import running


@contextmanager
def runtime(status: int, body: bytes) -> Iterator[tuple[RuntimeFunction, list[bytes]]]:
    """A runtime that gives one answer, and the events that it got."""
    events: list[bytes] = []

    class Handler(http_server.Handler):
        def respond(self) -> None:
            assert self.path == INVOCATIONS
            events.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(status, body)

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield RuntimeFunction("127.0.0.1", server.server_port, 3), events


def test_runtime_answers_what_the_function_does() -> None:
    """The event goes as JSON, and so comes the answer."""
    with runtime(200, b'{"batchItemFailures": []}') as (function, events):
        assert function.invoke({"Records": []}) == {"batchItemFailures": []}

    assert events == [b'{"Records": []}']


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b'{"errorType": "ValueError", "errorMessage": "no"}', "^ValueError: no$"),
        (200, b"Task timed out after 3.00 seconds", "^Task timed out after 3.00 seconds$"),
        (502, b"", "^the runtime answered 502"),
    ],
)
def test_runtime_error_timeout_and_crash_are_failures(
    status: int, body: bytes, message: str
) -> None:
    """The emulator says 200 to errors and timeouts, too; each is a failed invocation."""
    with (
        runtime(status, body) as (function, _),
        pytest.raises(FunctionFailed, match=message),
    ):
        function.invoke({"Records": []})


def test_runtime_that_is_not_there_was_not_reached() -> None:
    """A runtime that nobody started was not invoked."""
    with pytest.raises(FunctionNotReached, match="^the runtime is not there"):
        RuntimeFunction("127.0.0.1", 1, 3).invoke({"Records": []})
