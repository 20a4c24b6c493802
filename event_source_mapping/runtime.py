"""A function in the real Lambda runtime, behind AWS's runtime interface emulator."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from event_source_mapping.function import FunctionFailed, FunctionNotReached

INVOCATIONS = "/2015-03-31/functions/function/invocations"
# What the emulator may take beside the function's own time, such as to start it.
_SPARE_SECONDS = 30.0


class RuntimeFunction:
    """Invokes whatever listens as aws-lambda-rie does; one invocation at a time.

    Args:
        host: Where it listens.
        port: Its port.
        timeout_seconds: How long an invocation may take.
    """

    def __init__(self, host: str, port: int, timeout_seconds: float) -> None:
        self._address = host, port
        self._timeout_seconds = timeout_seconds

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Hand an event to the function; answer with its answer.

        Raises:
            FunctionFailed: The function raised, timed out or crashed. The emulator says 200 to the
                first two, and tells them by what it answers.
            FunctionNotReached: Nothing listens there.
        """
        status, body = self._post(json.dumps(event).encode())
        if status != http.HTTPStatus.OK:
            raise FunctionFailed(f"the runtime answered {status}: {body[:300]!r}")
        try:
            answer = json.loads(body)
        except ValueError:
            # Such as: Task timed out after 3.00 seconds
            raise FunctionFailed(body.decode(errors="replace")[:300]) from None
        if isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys():
            raise FunctionFailed(f"{answer['errorType']}: {answer['errorMessage']}")
        return answer

    def _post(self, event: bytes) -> tuple[int, bytes]:
        timeout = self._timeout_seconds + _SPARE_SECONDS
        connection = http.client.HTTPConnection(*self._address, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            raise FunctionNotReached(f"the runtime is not there: {error}") from error
        try:
            connection.request("POST", INVOCATIONS, event)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError as error:
            raise FunctionFailed(f"the runtime does not answer: {error}") from error
        finally:
            connection.close()
