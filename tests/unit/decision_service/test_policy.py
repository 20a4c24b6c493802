import uuid
from pathlib import Path

import pytest

from decision_service.policy import load_policy, worth_a_drive
from streams.errors import SettingsError


@pytest.mark.parametrize(
    ("minutes", "dollars", "take", "tip_an_hour"),
    [
        (60.0, 10.0, True, 10.0),
        (60.0, 9.99, False, 9.99),
        (20.0, 5.0, True, 15.0),
        (0.0, 0.5, True, 30.0),  # no ride takes less than a minute
        (30.0, -1.0, False, -2.0),
    ],
)
def test_worth_a_drive_is_a_matter_of_tip_for_time(
    minutes: float, dollars: float, take: bool, tip_an_hour: float
) -> None:
    """A ride is taken from ten dollars of tip an hour on."""
    answer = worth_a_drive({"ride_duration": minutes, "ride_tip": dollars}, [])

    assert answer == {"take": take, "tip_an_hour": tip_an_hour}


@pytest.mark.parametrize("missing", ["ride_duration", "ride_tip"])
def test_worth_a_drive_cannot_be_told_without_both(missing: str) -> None:
    """With one of them missing there is no answer, and none is guessed."""
    there = {"ride_duration", "ride_tip"} - {missing}

    assert worth_a_drive(dict.fromkeys(there, 1.0), [missing])["take"] is None


def test_worth_a_drive_does_without_what_it_has_no_need_of() -> None:
    """Another prediction that a decision waits for, such as surge, may be missing."""
    answer = worth_a_drive({"ride_duration": 60.0, "ride_tip": 20.0}, ["ride_surge"])

    assert answer["take"] is True


def test_load_policy_finds_a_function_by_its_name() -> None:
    """The default is named like any other."""
    assert load_policy("decision_service.policy:worth_a_drive") is worth_a_drive


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no_such_module:decide", "No module named 'no_such_module'"),
        ("decision_service.policy:no_such", "has no attribute 'no_such'"),
        ("decision_service.policy:WORTH_DOLLARS_AN_HOUR", "is not a callable object"),
        ("decision_service.policy:load_policy", "too many positional arguments"),
    ],
)
def test_load_policy_that_cannot_decide_is_refused(name: str, problem: str) -> None:
    """A policy that is not there, or takes something else, stops the function at its start."""
    with pytest.raises(SettingsError) as caught:
        load_policy(name)

    assert f"DECISION_POLICY={name!r} is not allowed" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def decide(values, missing) return {}", "SyntaxError: expected ':'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("async def decide(values, missing): return {}", "TypeError: it is async"),
    ],
)
def test_load_policy_of_a_module_that_is_broken_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    """Whatever a user's module raises when it is imported, the variable is named."""
    module = f"policy_{uuid.uuid4().hex}"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SettingsError) as caught:
        load_policy(f"{module}:decide")

    assert f"DECISION_POLICY='{module}:decide' is not allowed ({problem}" in str(caught.value)
