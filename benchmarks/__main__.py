"""Compare speed, cold starts, memory and size with the reference way; see docs/performance.md.

Writes tables.md and plots. No measured time makes the command fail.
"""

import argparse
import logging
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench_plan import FULL, QUICK
from benchmarks.bench_rides import make_rides, read_rides
from benchmarks.bench_run import run
from benchmarks.bench_tables import render
from benchmarks.plots import draw
from benchmarks.results import Results
from benchmarks.ways import ENVIRON
from event_source_mapping.emulator import leave_aws
from local.sample_models import PROJECT
from training.training_errors import TripsError

TABLES = "tables.md"
FULL_OUTPUT = PROJECT / "docs" / "performance"
QUICK_OUTPUT = PROJECT / ".local" / "bench"
_CACHE = QUICK_OUTPUT / "installed"
_AT_LEAST = 2

_log = logging.getLogger("benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 for rides that cannot be read, 2 for usage."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    _log.setLevel(logging.INFO)
    plan = QUICK if options.quick else FULL
    output = options.output or (QUICK_OUTPUT if options.quick else FULL_OUTPUT)
    try:
        rides = read_rides(options.rides) if options.rides else make_rides(plan.rides)
    except TripsError as error:
        _log.error("benchmarks: error: %s", error)
        return 1
    leave_aws()
    os.environ.update(ENVIRON)
    with tempfile.TemporaryDirectory() as folder:
        results = run(plan, rides, Path(folder), _CACHE, _command(options), _log.info)
    write(results, output)
    return 0


def write(results: Results, output: Path) -> None:
    """Write the tables and the plots, and print where they are."""
    output.mkdir(parents=True, exist_ok=True)
    (output / TABLES).write_text(render(results))
    plots = draw(results, output)
    print(f"{output / TABLES} and {len(plots)} plots in the same folder")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="measure less, in two minutes, into .local/bench"
    )
    parser.add_argument(
        "--rides", type=Path, nargs="+", metavar="FILE",
        help="two or more TLC trip files: the last is predicted, the others are trained on "
        "(default: synthetic rides)",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="output folder (default: docs/performance)"
    )
    options = parser.parse_args(arguments)
    if options.rides and len(options.rides) < _AT_LEAST:
        parser.error(
            f"--rides names 1 file; it must name {_AT_LEAST} or more, to train on and to predict"
        )
    return options


def _command(options: argparse.Namespace) -> str:
    """Return the make command of this run, with the names of files but not their folders."""
    names = ["--rides", *(path.name for path in options.rides)] if options.rides else []
    target = "make bench-quick" if options.quick else "make bench"
    return f"{target} ARGS='{shlex.join(names)}'" if names else target


if __name__ == "__main__":
    sys.exit(main())
