"""Measures speed, cold starts, memory and size against the reference way; see docs/performance.md.

Writes results.json, tables.md and plots. Nothing passes or fails by what is measured.
"""

import argparse
import logging
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.bench_plan import FULL, QUICK
from benchmarks.bench_rides import make_rides, read_rides
from benchmarks.bench_run import run
from benchmarks.bench_tables import render
from benchmarks.plots import draw
from benchmarks.results import Results
from benchmarks.worker import PROJECT
from event_source_mapping.emulator import leave_aws
from training.training_errors import TripsError

RESULTS = "results.json"
TABLES = "tables.md"
FULL_OUTPUT = PROJECT / "docs" / "performance"
QUICK_OUTPUT = PROJECT / ".local" / "bench"
_CACHE = PROJECT / ".local" / "bench" / "installed"
_AT_LEAST = 2

_log = logging.getLogger("benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 for rides that cannot be read, 2 for usage."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    _log.setLevel(logging.INFO)
    leave_aws()
    plan = QUICK if options.quick else FULL
    output = options.output or (QUICK_OUTPUT if options.quick else FULL_OUTPUT)
    try:
        rides = read_rides(options.rides) if options.rides else make_rides(plan.rides)
    except TripsError as error:
        _log.error("benchmarks: error: %s", error)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        results = run(plan, rides, Path(folder), _CACHE, _command(options), _log.info)
    write(results, output)
    return 0


def write(results: Results, output: Path) -> None:
    """Write the three kinds of files; says where on standard output."""
    output.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (output / RESULTS).write_bytes(encoded + b"\n")
    (output / TABLES).write_text(render(results))
    plots = draw(results, output)
    print(f"{output / RESULTS}, {output / TABLES} and {len(plots)} plots beside them")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="what two minutes allow, into .local/bench"
    )
    parser.add_argument(
        "--rides", type=Path, nargs="+", metavar="FILE",
        help="two or more TLC trip files: the last one's rides are predicted, the others' trained "
        "on; synthetic rides if not given",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where to write (default: docs/performance)"
    )
    options = parser.parse_args(arguments)
    if options.rides and len(options.rides) < _AT_LEAST:
        parser.error(
            f"--rides names 1 file; it must name {_AT_LEAST} or more, to train on and to predict"
        )
    return options


def _command(options: argparse.Namespace) -> str:
    """The command, with the names of files and not where they are."""
    names = ["--rides", *(path.name for path in options.rides)] if options.rides else []
    target = "make bench-quick" if options.quick else "make bench"
    return f"{target} ARGS='{shlex.join(names)}'" if names else target


if __name__ == "__main__":
    sys.exit(main())
