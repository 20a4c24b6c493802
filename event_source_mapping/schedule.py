"""EventBridge's schedules: a function that is invoked by the clock.

Source: "Creating a rule that runs on a schedule in Amazon EventBridge" (Amazon EventBridge User
Guide). An invocation that fails is tried again at the next time only: AWS tries it twice before.
"""

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from event_source_mapping.environment import ACCOUNT, REGION
from event_source_mapping.function import FunctionFailed, Invoker

logger = logging.getLogger(__name__)


class Schedule:
    """Invokes a function again and again.

    Args:
        name: Its logical ID.
        function: What is invoked.
        seconds: How long after the start, and after each time, it is.
    """

    def __init__(self, name: str, function: Invoker, seconds: float) -> None:
        self._name = name
        self._function = function
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to wait for the first time."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the invocation under way has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self._function.invoke(scheduled_event(self._name))
            except FunctionFailed as error:
                logger.warning("%s: %s", self._name, error)


def scheduled_event(name: str) -> dict[str, Any]:
    """What a function gets of a schedule."""
    return {
        "version": "0",
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"],
        "detail": {},
    }
