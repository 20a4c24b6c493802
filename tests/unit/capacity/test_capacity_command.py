"""The command, from its options to its lines."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from capacity.__main__ import main
from capacity.prices import PRICES as PRICES_FILE
from capacity.report import one_rate
from capacity.scenario import Scenario
from tests.unit.capacity.scenarios import PRICES, SCENARIOS


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(options) == 0
    return capsys.readouterr().out


def test_total_is_the_sum_of_the_parts_that_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A reader can add up the bill, and divide it by the month's 2.628 million rides."""
    text = printed(capsys, "--rides-per-second", "1", "--retention-hours", "200", "--fan-out")
    bill = text.split("US dollars a month\n")[1]
    rows = re.findall(r"^ *(.+?) +([\d,.]+)$", bill, re.MULTILINE)
    dollars = {name: float(value.replace(",", "")) for name, value in rows}
    million = dollars.pop("US dollars a million rides")

    assert dollars.pop("total") == pytest.approx(sum(dollars.values()), abs=0.07)
    assert million == pytest.approx(sum(dollars.values()) / 2.628, abs=0.03)


@given(SCENARIOS)
def test_every_scenario_can_be_printed(asked: Scenario) -> None:
    """All settings within the limits of the options give finite, positive numbers."""
    assert not re.search(r"\b(nan|inf)\b|-\d", "\n".join(one_rate(asked, PRICES)))


def test_table_is_followed_by_warnings_with_their_rates(capsys: pytest.CaptureFixture[str]) -> None:
    """A table has a line for each rate, then the quotas that each rate exceeds."""
    lines = printed(capsys).splitlines()

    assert lines[0].split()[0] == "RIDES/S"
    assert [line.split()[0] for line in lines[1:8]][::3] == ["1", "1,000", "1,000,000"]
    assert lines[8].startswith("! 1,000,000 rides/s: concurrent executions")


def test_figures_can_be_replaced_one_by_one_and_by_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """`--set` and `--prices` change a limit for the whole plan."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        PRICES_FILE.read_text().replace('{value = 1000, unit = "rec', '{value = 10, unit = "rec')
    )

    for change in (["--prices", str(mine)], ["--set", "limits.shard_records=10"]):
        text = printed(capsys, "--rides-per-second", "1000", "--fill", "1", *change)
        assert re.search(r"^input shards +100$", text, re.MULTILINE)


def test_file_of_prices_that_is_missing_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command prints no traceback and names the file."""
    assert main(["--prices", str(tmp_path / "none.toml")]) == 1

    error = capsys.readouterr().err
    assert "none.toml" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--rides-per-second", "0", "a number from 0.001 to 10,000,000"),
        ("--rides-per-second", "nan", "a number from 0.001 to 10,000,000"),
        ("--rides-per-second", "many", "a number from 0.001 to 10,000,000"),
        ("--window-seconds", "inf", "a number from 0 to 300"),
        ("--batch-size", "0", "a whole number from 1 to 10,000"),
        ("--batch-size", "9" * 5000, "a whole number from 1 to 10,000"),
        ("--batch-size", "1.5", "a whole number from 1 to 10,000"),
        ("--mode", "serverless", "one of provisioned, on-demand, on-demand-advantage"),
        ("--fill", "0", "a number from 0.01 to 1"),
        ("--set", "kinesis.shard_hour", "section.name=number, such as"),
    ],
)
def test_value_that_is_not_allowed_is_rejected_with_what_is(
    capsys: pytest.CaptureFixture[str], option: str, value: str, allowed: str
) -> None:
    """The error names the option, its value, and what it may be."""
    with pytest.raises(SystemExit):
        main([option, value])

    expected = f"argument {option}: {value!r} is not allowed; it must be {allowed}"
    assert expected in capsys.readouterr().err
