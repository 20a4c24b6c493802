"""Waiting for something to become true, with a deadline."""

import threading
import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 30, every: float = 0.01) -> None:
    """Return as soon as the condition holds, looking every so many seconds.

    Raises:
        TimeoutError: It did not hold within some seconds.
    """
    ends = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"not so within {seconds} seconds")
        pause.wait(every)
