"""The command, from its options to its lines."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from capacity.__main__ import main
from capacity.prices import PRICES
from capacity.report import shown
from capacity.scenario import Scenario
from tests.unit.capacity.scenarios import PRICES as PRICE_LIST
from tests.unit.capacity.scenarios import SCENARIOS


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(options) == 0
    return capsys.readouterr().out


def test_rate_is_shown_in_full_with_parts_that_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    """The total is that of its parts, to the cent, but for rounding."""
    text = printed(capsys, "--rides-per-second", "1000", "--retention-hours", "200", "--fan-out")
    rows = re.findall(r"^  ([a-z ]+?) +([\d,.]+)$", text, re.MULTILINE)
    dollars = {name: float(value.replace(",", "")) for name, value in rows}

    assert len(dollars) == 14
    assert dollars.pop("total") == pytest.approx(sum(dollars.values()), abs=0.07)


def test_cost_of_a_million_rides_is_that_of_the_month_over_its_rides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A ride a second for 730 hours is 2.628 million."""
    text = printed(capsys, "--rides-per-second", "1")
    month, million = (
        float(re.findall(rf"^ *{name} +([\d.]+)$", text, re.MULTILINE)[0])
        for name in ("total", "a million rides")
    )

    assert million == pytest.approx(month / 2.628, abs=0.01)


@given(SCENARIOS)
def test_every_scenario_can_be_shown(asked: Scenario) -> None:
    """Whatever is asked within the options' limits, each line has a number that is one."""
    text = "\n".join(shown(asked, PRICE_LIST))

    assert not re.search(r"\b(nan|inf)\b|-\d", text)


def test_warnings_follow_the_table_with_their_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """What a million rides a second run into is said."""
    assert "! 1,000,000 rides/s: 1,250 shards of a stream" in printed(capsys)


def test_another_file_of_prices_is_counted_with(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A user's own limits and prices decide."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        PRICES.read_text().replace('{value = 1000, unit = "rec', '{value = 10, unit = "rec')
    )

    text = printed(capsys, "--rides-per-second", "1000", "--fill", "1", "--prices", str(mine))

    assert re.search(r"^input shards +100$", text, re.MULTILINE)


def test_sources_lists_every_price(capsys: pytest.CaptureFixture[str]) -> None:
    """`--sources` is the file, in lines."""
    text = printed(capsys, "--sources")

    assert "kinesis.shard_hour = 0.015 USD a shard and hour, provisioned [kinesis-price, " in text
    assert "[kinesis-price] https://aws.amazon.com/kinesis/data-streams/pricing/ (" in text


def test_file_of_prices_that_is_missing_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No traceback, and the option is named."""
    assert main(["--prices", str(tmp_path / "none.toml")]) == 1

    said = capsys.readouterr().err
    assert said.startswith("--prices '")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--rides-per-second", "0", "a number from 0.001 to 10,000,000"),
        ("--rides-per-second", "nan", "a number from 0.001 to 10,000,000"),
        ("--rides-per-second", "many", "a number from 0.001 to 10,000,000"),
        ("--window-seconds", "301", "a number from 0 to 300"),
        ("--window-seconds", "inf", "a number from 0 to 300"),
        ("--batch-size", "0", "a whole number from 1 to 10,000"),
        ("--batch-size", "9" * 5000, "a whole number from 1 to 10,000"),
        ("--batch-size", "1.5", "a whole number from 1 to 10,000"),
        ("--batch-size", "²", "a whole number from 1 to 10,000"),
        ("--mode", "serverless", "one of provisioned, on-demand, on-demand-advantage"),
        ("--architecture", "mips", "one of x86_64, arm64"),
        ("--fill", "0", "a number over 0, and at most 1"),
    ],
)
def test_option_that_is_not_allowed_is_refused_with_what_is(
    capsys: pytest.CaptureFixture[str], option: str, value: str, allowed: str
) -> None:
    """The option, its value, and what it may be."""
    with pytest.raises(SystemExit):
        main([option, value])

    expected = f"argument {option}: {value!r} is not allowed; it must be {allowed}"
    assert expected in capsys.readouterr().err
