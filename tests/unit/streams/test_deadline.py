from typing import Any

import pytest

from streams.connect import QUICK
from streams.deadline import ANSWER_SECONDS, CALL_SECONDS, WITHOUT_CONTEXT_SECONDS, Deadline
from tests.clock import ManualClock


class Context:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def test_deadline_keeps_time_for_one_call_and_the_answer() -> None:
    """Work ends while one more call to AWS can still end badly and be answered for."""
    deadline = Deadline(60, clock=ManualClock())

    assert deadline.seconds_left() == 60 - CALL_SECONDS - ANSWER_SECONDS


def test_deadline_short_invocation_keeps_half_of_its_time() -> None:
    """A function with a short timeout gets half of it to work in."""
    assert Deadline(4, clock=ManualClock()).seconds_left() == 2


def test_deadline_too_short_to_answer_has_passed() -> None:
    """With no time left but for the answer, there is no work."""
    assert Deadline(ANSWER_SECONDS, clock=ManualClock()).passed()


def test_deadline_passes_with_the_clock() -> None:
    """Once its time is over it has passed, and no time is left."""
    clock = ManualClock()
    deadline = Deadline(60, clock=clock)

    clock.sleep(59)

    assert deadline.passed()
    assert deadline.seconds_left() == 0


def test_deadline_halfway_leaves_half_of_the_time() -> None:
    """A deadline for a part of the work leaves the other half to the rest."""
    clock = ManualClock()
    deadline = Deadline(60, clock=clock)
    clock.sleep(10)

    halfway = deadline.halfway()

    assert halfway.seconds_left() == deadline.seconds_left() / 2 == 21.25
    clock.sleep(22)
    assert halfway.passed()
    assert not deadline.passed()


def test_quick_clients_end_a_call_within_the_time_that_is_kept_for_it() -> None:
    """The timeouts of boto3's clients add up to what the deadline keeps back."""
    quick: Any = QUICK  # botocore's stubs lack its attributes
    attempts = quick.retries["total_max_attempts"]
    longest_wait = 2 ** (attempts - 2)  # standard mode: up to 2**n seconds after attempt n

    seconds = attempts * (quick.connect_timeout + quick.read_timeout) + longest_wait

    assert seconds <= CALL_SECONDS


def test_deadline_comes_from_the_context_in_milliseconds() -> None:
    """Lambda's context tells the remaining time."""
    assert 51 < Deadline.of(Context(60_000)).seconds_left() <= 52.5


@pytest.mark.parametrize("context", [None, {}])
def test_deadline_without_a_time_in_its_context_is_limited_too(context: Any) -> None:
    """A call without a remaining time gets a limited deadline."""
    assert 0 < Deadline.of(context).seconds_left() < WITHOUT_CONTEXT_SECONDS
