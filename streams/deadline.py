"""How long an invocation may still work before it has to answer."""

import time
from collections.abc import Callable
from copy import copy
from typing import Protocol, Self

# Time kept back to build and send the answer.
ANSWER_SECONDS = 0.5
# The time for one call to AWS, all its attempts included; `bootstrap` sets the timeouts. A host of
# several unreachable addresses, or a slow upload, takes longer: Lambda then ends the invocation,
# which costs time, and no record.
CALL_SECONDS = 7.0
# A call by hand may come without a context, and so without a limit of its own.
WITHOUT_CONTEXT_SECONDS = 10.0


class Context(Protocol):
    """The part of Lambda's context object that is used here."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the environment."""
        ...


class Deadline:
    """The moment an invocation has to stop working and answer.

    The remaining time is asked for once, at the start; from then on a monotonic clock counts,
    so that a jump of the wall clock moves nothing.

    Args:
        seconds: How long from now Lambda gives the invocation.
        clock: Monotonic seconds.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds
        # Long enough for one more call to end badly; a short invocation keeps half of its time.
        self._reserve = max(ANSWER_SECONDS, min(CALL_SECONDS + ANSWER_SECONDS, seconds / 2))

    @classmethod
    def of(cls, context: Context | None) -> Self:
        """The deadline of an invocation, from Lambda's context object."""
        ask = getattr(context, "get_remaining_time_in_millis", None)
        return cls(WITHOUT_CONTEXT_SECONDS if ask is None else ask() / 1000)

    def halfway(self) -> "Deadline":
        """A deadline when half of the time that is left for work will have passed."""
        halfway = copy(self)
        halfway._end -= self.seconds_left() / 2
        return halfway

    def seconds_left(self) -> float:
        """Seconds of work left; 0 when it is time to answer."""
        return max(0.0, self._end - self._reserve - self._clock())

    def passed(self) -> bool:
        """Whether it is time to stop and answer."""
        return self.seconds_left() == 0
