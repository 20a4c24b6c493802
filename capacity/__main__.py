"""Print what a rate of rides needs on AWS, and what that costs a month; see docs/capacity.md.

With --rides-per-second, one rate in full. Without it, a table of rates from 1 to 1,000,000.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from capacity.prices import PRICES, read
from capacity.report import break_evens, comparison, one_rate, table
from capacity.scenario import Scenario
from cli.terminal import OpsError, leave_stdout, say

RIDES_PER_SECOND = (0.001, 10_000_000)


def number(low: float, high: float, kind: type[int | float] = float) -> Callable[[str], float]:
    """Return a parser of numbers within limits."""
    expected = f"{'a whole number' if kind is int else 'a number'} from {low:,g} to {high:,.10g}"

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed; it must be {expected}")
        return value

    return parse


def one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    """Return a parser of names."""

    def parse(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; it must be one of {', '.join(choices)}"
            ) from None

    return parse


def change(text: str) -> tuple[str, float]:
    """Parse a change of a figure, such as `kinesis.shard_hour=0.0195`."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; it must be section.name=number, such as "
            "kinesis.shard_hour=0.0195"
        ) from None


def main(arguments: Sequence[str]) -> int:
    """Print what the options ask for, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        for line in _lines(options):
            print(line)  # noqa: T201 - the command's output
        sys.stdout.flush()
    except OpsError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        leave_stdout()
    return 0


def _lines(options: argparse.Namespace) -> Iterator[str]:
    prices = read(options.prices, dict(options.set))
    settings = {field.name: getattr(options, field.name) for field in fields(Scenario)}
    scenario = Scenario(**{**settings, "rides_per_second": options.rides_per_second or 1.0})
    if options.compare:
        return comparison(scenario, prices)
    if options.break_even:
        return break_evens(scenario, prices)
    return (
        table(scenario, prices) if options.rides_per_second is None else one_rate(scenario, prices)
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m capacity", usage="%(prog)s [options]", description=__doc__
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--rides-per-second", type=number(*RIDES_PER_SECOND), help="mean rate (default: a table)"
    )
    what.add_argument(
        "--compare", action="store_true", help="cost of every mode, with and without aggregation"
    )
    what.add_argument("--break-even", action="store_true", help="when on demand is cheaper")
    parser.add_argument(
        "--prices", type=Path, default=PRICES, help="file of prices (default: capacity/prices.toml)"
    )
    parser.add_argument(
        "--set",
        type=change,
        action="append",
        default=[],
        metavar="SECTION.NAME=NUMBER",
        help="figure to replace, such as predictions.put_ms=8; may be repeated",
    )
    for setting in fields(Scenario)[1:]:
        _add_setting(parser, setting)
    return parser


def _add_setting(parser: argparse.ArgumentParser, setting: Field[Any]) -> None:
    option, default = f"--{setting.name.replace('_', '-')}", cast("Any", setting.default)
    text = f"{setting.metadata['help']} (default: {default})"
    if isinstance(default, bool):
        parser.add_argument(
            option, action=argparse.BooleanOptionalAction, default=default, help=text
        )
        return
    limits = setting.metadata["low"], setting.metadata["high"]
    parse = (
        one_of(type(default)) if isinstance(default, StrEnum) else number(*limits, type(default))
    )
    parser.add_argument(option, type=parse, default=default, help=text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
