"""A Lambda function in this process."""

import importlib.util
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import msgspec

from event_source_mapping.environment import ACCOUNT, REGION, environment, seen_by_this_thread
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.template import Function

logger = logging.getLogger(__name__)


class FunctionFailed(Exception):
    """An invocation ended with an error instead of an answer."""


class FunctionNotReached(FunctionFailed):
    """An invocation never reached the function: it was throttled, or nothing listens."""


class Invoker(Protocol):
    """Invokes a function."""

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Hand an event to the function; answer with its answer.

        Raises:
            FunctionFailed: The function raised, or its answer is not JSON.
            FunctionNotReached: It was not invoked, which costs a batch no retry.
        """
        ...


class InProcessFunction:
    """A function loaded as Lambda loads it: its own module, its own environment variables.

    One invocation runs at a time, as in one Lambda execution environment. One that takes longer
    than its timeout has failed; what it left runs on in its thread, for nobody, and the next
    invocation has a new environment: the module is loaded anew.

    Args:
        function: What the template says of it.
        folder: Where its module lies.
        environ: Variables in addition to the template's, such as endpoint and credentials.
    """

    def __init__(self, function: Function, folder: Path, environ: Mapping[str, str]) -> None:
        self._function = function
        self._folder = folder
        self._environ = {**environ, **function.environment, **_lambdas_own(function)}
        self._variables: dict[str, str] = {}
        self._lock = threading.Lock()
        self._handler: Callable[[Any, Any], Any] | None = self._load()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Hand an event to the function; answer with its answer.

        Raises:
            FunctionFailed: The function raised, timed out, or its answer is not JSON.
        """
        # To JSON and back, both ways, as through Lambda's Invoke.
        payload = msgspec.json.decode(msgspec.json.encode(event))
        with self._lock:
            try:
                self._handler = self._handler or self._load()
                answer = self._within_its_time(self._handler, payload)
                return msgspec.json.decode(msgspec.json.encode(answer))
            except FunctionFailed:
                logger.exception("the function failed")
                raise
            except (Exception, SystemExit) as error:
                logger.exception("the function failed")
                raise FunctionFailed(f"{type(error).__name__}: {error}") from error

    def _within_its_time(self, handler: Callable[[Any, Any], Any], payload: Any) -> Any:
        seconds = self._function.timeout_seconds
        variables = self._variables
        ended: Future[Any] = Future()

        def run() -> None:
            try:
                with seen_by_this_thread(variables):
                    ended.set_result(handler(payload, LocalContext(variables, seconds)))
            except Exception as error:
                ended.set_exception(error)
            except BaseException as error:  # such as SystemExit, or a task that was cancelled
                ended.set_exception(FunctionFailed(f"{type(error).__name__}: {error}"))

        # Not a pool's thread: a process waits for those before it ends.
        threading.Thread(target=run, name=self._function.name, daemon=True).start()
        try:
            return ended.result(seconds)
        except TimeoutError:
            if ended.done():
                raise  # the function's own
            self._handler = None
            raise FunctionFailed(f"Task timed out after {seconds:.2f} seconds") from None

    def _load(self) -> Callable[[Any, Any], Any]:
        self._variables = environment(self._environ)
        with seen_by_this_thread(self._variables):
            return _load_handler(self._function, self._folder)


class LocalContext:
    """Lambda's context object, as its Python runtime makes it of a function's variables.

    Attributes:
        aws_request_id: Another one for each invocation.
        function_name: The function's logical ID in the template.
        function_version: Always `$LATEST`.
        invoked_function_arn: As its destinations are told.
        memory_limit_in_mb: A string, as on Lambda.
        log_group_name: Where Lambda would log to.
        log_stream_name: Likewise.
    """

    def __init__(self, variables: Mapping[str, str], timeout_seconds: float) -> None:
        self._end = time.monotonic() + timeout_seconds
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = variables["AWS_LAMBDA_FUNCTION_VERSION"]
        region = variables.get("AWS_DEFAULT_REGION", REGION)
        self.invoked_function_arn = (
            f"arn:aws:lambda:{region}:{ACCOUNT}:function:{self.function_name}"
        )
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function times out."""
        return max(0, int((self._end - time.monotonic()) * 1000))


def _lambdas_own(function: Function) -> dict[str, str]:
    # "Defined runtime environment variables" (AWS Lambda Developer Guide)
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
    }


def _load_handler(function: Function, folder: Path) -> Callable[[Any, Any], Any]:
    module_name, _, attribute = function.handler.rpartition(".")
    path = folder / f"{module_name.replace('.', '/')}.py"
    # A name of its own, so that two functions of one module are two modules.
    spec = importlib.util.spec_from_file_location(f"{module_name}@{function.name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise TemplateError(f"{function.name}: there is no {path} for {function.handler}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = getattr(module, attribute)
    return handler
