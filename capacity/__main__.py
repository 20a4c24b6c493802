"""Says what a rate of rides needs and costs on AWS a month: shards, invocations, dollars.

With --rides-per-second one rate in full, otherwise a table of rates. All of it is worked out from
the options and a file of prices, limits and measurements; see docs/capacity.md.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from capacity.capacity_errors import CapacityError
from capacity.comparison import break_evens, comparison
from capacity.prices import PRICES, Catalogue, read
from capacity.report import shown, table
from capacity.scenario import Architecture, Mode, Scenario
from cli.terminal import leave_stdout, say

RIDES_PER_SECOND = (0.001, 10_000_000)
_MOST_DIGITS = 9


def number(low: float, high: float, *, above: bool = False) -> Callable[[str], float]:
    """A parser of numbers within limits.

    Args:
        low: The least.
        high: The most.
        above: Whether the least itself is not allowed.
    """

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not (low < value if above else low <= value) or not value <= high:
            least = f"a number over {low:g}, and at most" if above else f"a number from {low:g} to"
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; it must be {least} {high:,.10g}"
            )
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers within limits."""

    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        if not is_number or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; it must be a whole number from {low:,} to {high:,}"
            )
        return int(text)

    return parse


def one_of(choices: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A parser of names."""

    def parse(text: str) -> StrEnum:
        try:
            return choices(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; it must be one of {', '.join(choices)}"
            ) from None

    return parse


def main(arguments: Sequence[str]) -> int:
    """Print what was asked for; answer with the exit status."""
    options = _parser().parse_args(arguments)
    try:
        for line in _lines(options, read(options.prices)):
            print(line)  # noqa: T201 - the command's output
        sys.stdout.flush()
    except CapacityError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        leave_stdout()
    return 0


def _lines(options: argparse.Namespace, catalogue: Catalogue) -> Iterator[str]:
    if options.sources:
        return catalogue.lines()
    scenario, prices = _scenario(options, catalogue), catalogue.prices
    if options.compare:
        return comparison(scenario, prices)
    if options.break_even:
        return break_evens(scenario, prices)
    return table(scenario, prices) if options.rides_per_second is None else shown(scenario, prices)


def _scenario(options: argparse.Namespace, catalogue: Catalogue) -> Scenario:
    """What the options say, or else the file of prices, or else the template."""
    values: dict[str, Any] = msgspec.structs.asdict(catalogue.prices.defaults)
    given = {field.name: getattr(options, field.name, None) for field in fields(Scenario)}
    values |= {name: value for name, value in given.items() if value is not None}
    return Scenario(**{"rides_per_second": 1.0, **values})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m capacity", usage="%(prog)s [options]", description=__doc__
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--rides-per-second",
        type=number(*RIDES_PER_SECOND),
        help="mean rate; without it, a table from 1 to 1,000,000",
    )
    what.add_argument(
        "--compare",
        action="store_true",
        help="the cost of every mode, without aggregation, with that of predictions, of rides too",
    )
    what.add_argument("--break-even", action="store_true", help="when on demand is cheaper")
    what.add_argument("--sources", action="store_true", help="every price and limit, its source")
    parser.add_argument(
        "--prices", type=Path, default=PRICES, help="another file of prices (capacity/prices.toml)"
    )
    _add_settings(parser)
    _add_measurements(parser)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """The options with the template's defaults."""

    def add(name: str, parse: Callable[[str], Any], text: str) -> None:
        parser.add_argument(name, type=parse, help=f"{text} ({_default(name)})")

    add("--predictors", whole(1, 100), "functions that read the rides")
    add("--batch-size", whole(1, 10_000), "most records of an invocation")
    add("--window-seconds", number(0, 300), "wait for a full batch")
    add("--parallelization", whole(1, 10), "batches of a shard at a time")
    add("--memory-mb", whole(128, 10_240), "memory of a function, MB")
    add("--rides-per-record", whole(1, 10_000), "rides that a producer aggregates; 1 is none")
    add("--output-consumers", whole(0, 50), "applications that read predictions, and decisions")
    add("--retention-hours", whole(24, 8760), "of all streams")
    add("--peak-factor", number(1, 1000), "rate at the peak over the mean")
    add("--mode", one_of(Mode), f"of all streams: {', '.join(Mode)}")
    add("--architecture", one_of(Architecture), f"of the functions: {', '.join(Architecture)}")

    def flag(name: str, text: str) -> None:
        parser.add_argument(name, action="store_true", default=None, help=text)

    flag("--aggregate-predictions", "AGGREGATE_PREDICTIONS: the functions pack what they put")
    flag("--fan-out", "enhanced fan-out for every consumer")
    parser.add_argument(
        "--no-decisions",
        dest="decides",
        action="store_false",
        default=None,
        help="leave out the decision function, which comes with a second predictor",
    )


def _add_measurements(parser: argparse.ArgumentParser) -> None:
    """The options whose defaults are in the file of prices."""
    measured = parser.add_argument_group("measured; defaults are in the file of prices")

    def add(name: str, high: float, text: str, *, low: float = 0, above: bool = False) -> None:
        measured.add_argument(name, type=number(low, high, above=above), help=text)

    add("--ride-bytes", 1_048_576, "JSON of a ride event", low=1)
    add("--prediction-bytes", 1_048_576, "JSON of a prediction event", low=1)
    add("--key-bytes", 256, "a partition key", low=1)
    add("--ride-us", 1e6, "µs of one core a ride")
    add("--pack-us", 1e6, "µs of one core a prediction, with --aggregate-predictions")
    add("--entry-us", 1e6, "µs of one core a record put")
    add("--invocation-ms", 60_000, "ms of one core an invocation, beside these")
    add("--put-ms", 60_000, "ms of waiting a PutRecords call")
    add("--write-us", 1e6, "µs of one core a write of a case, decisions")
    add("--table-ms", 60_000, "ms of waiting a call of the table, decisions")
    add("--base-mb", 10_240, "MB of a function without a batch")
    add("--ride-kb", 1000, "kB of memory a ride of a batch")
    add("--init-seconds", 900, "seconds of a cold start")
    add("--log-bytes", 1e6, "bytes of log an invocation")
    add("--rejected-share", 1, "share of the rides that is rejected")
    add("--buffer-seconds", 3600, "how long a producer waits for a record to fill")
    add("--fill", 1, "share of a shard that the peak may use", above=True)
    add("--hours", 744, "hours of a month", above=True)


def _default(option: str) -> object:
    name = option.removeprefix("--").replace("-", "_")
    (default,) = (field.default for field in fields(Scenario) if field.name == name)
    assert default is not MISSING  # noqa: S101 - the file of prices has the others'
    return default


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
