"""Functions of one process, each with environment variables of its own."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from event_source_mapping.environment import environment, seen_by_this_thread


def test_threads_see_their_own_variables_at_the_same_time() -> None:
    """Two functions and their test, all at once: none sees a variable of another one."""
    together = Barrier(3, timeout=30)

    def seen(name: str) -> tuple[str | None, str | None]:
        with seen_by_this_thread({"NAME": name}):
            together.wait()
            os.environ["SET"] = name
            together.wait()
            return os.getenv("NAME"), os.environ.get("SET")

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(seen, name) for name in ("one", "two")]
        together.wait()
        mine = os.getenv("NAME")
        together.wait()
        assert [answer.result() for answer in answers] == [("one", "one"), ("two", "two")]

    assert mine is None
    assert not {"NAME", "SET"} & os.environ.keys()


def test_this_process_keeps_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within, all is the function's, whatever is done with it; after it, all is as it was."""
    monkeypatch.setenv("MINE", "before")
    variables = {"NAME": "one", "OTHER": "two"}

    with seen_by_this_thread(variables):
        del os.environ["OTHER"]
        os.environ |= {"MINE": "within"}
        assert os.environ | {} == os.environ.copy() == {"NAME": "one", "MINE": "within"}
        assert repr(os.environ) == "environ({'NAME': 'one', 'MINE': 'within'})"
        with pytest.raises(KeyError, match="OTHER"):
            os.environ["OTHER"]
        with pytest.raises(TypeError, match="str expected, not int"):
            os.environ["NUMBER"] = 1  # type: ignore[assignment] # the wrong type

    assert variables == {"NAME": "one", "MINE": "within"}
    assert os.environ["MINE"] == "before"
    assert "NAME" not in os.environ


def test_environment_has_only_what_any_process_needs_of_this_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A function's variables win, and nothing else of this shell is there but a few."""
    monkeypatch.setenv("HOME", "here")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("TEST_RUN", "yes")

    seen = environment({"LANG": "de", "NAME": "one"})

    assert (seen["HOME"], seen["LANG"], seen["NAME"]) == ("here", "de", "one")
    assert "TEST_RUN" not in seen
