"""The command that fuzzes; what it fuzzes needs atheris, and is tried by `make fuzz`."""

import pytest

from fuzz.__main__ import main


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        *(("--runs", value, 1) for value in ("abc", "0", "-5", "1.5", "9" * 20, "")),
        *(("--seed", value, 0) for value in ("abc", "-1", "9" * 20)),
        ("--jobs", "0", 1),
    ],
)
def test_number_that_is_none_is_refused(
    option: str, value: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option, its value and what is allowed are named, before anything is tried."""
    with pytest.raises(SystemExit):
        main([f"{option}={value}"])

    assert (
        f"argument {option}: {value!r} is not allowed; it must be a whole number from {least} to "
        "2,147,483,647"
    ) in capsys.readouterr().err


def test_target_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """So is a reader that there is not."""
    with pytest.raises(SystemExit):
        main(["rides"])

    assert "no such target: rides; there are ride_event, " in capsys.readouterr().err
