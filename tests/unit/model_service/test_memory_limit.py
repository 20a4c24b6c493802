"""Limits of memory while a model is loaded."""

import resource
import threading
from pathlib import Path

import pytest

from model_service.models.memory_limit import at_most

MIB = 1 << 20

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux alone limits")


def test_main_thread_may_take_so_much_more_and_no_more() -> None:
    """A model that unfolds in memory fails at startup, and the limit is gone afterwards."""
    before = resource.getrlimit(resource.RLIMIT_AS)

    with pytest.raises(MemoryError), at_most(256 * MIB):
        bytearray(512 * MIB)

    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_other_thread_that_loads_a_model_takes_no_memory_from_the_others() -> None:
    """Requests need memory and threads while a model is loaded, so no limit holds for them."""
    answered: list[int] = []

    def load() -> None:
        with at_most(0):
            request = threading.Thread(target=lambda: answered.append(len(bytearray(64 * MIB))))
            request.start()
            request.join()

    loading = threading.Thread(target=load)
    loading.start()
    loading.join()

    assert answered == [64 * MIB]
