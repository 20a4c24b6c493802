"""`make soak`: a million rides with faults on, in rounds, and a report.

The exit status is 0 only if nothing was lost or wrong.
"""

import argparse
import json
import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.world import World

ROUND = 50_000


def main() -> int:
    """Run the rounds; the exit status is 0 only if nothing was lost or wrong."""
    options = _arguments()
    logging.disable(logging.CRITICAL)  # faults are the rule here
    total = _soak(options.rides, options.seed, options.rate)
    options.report.write_text(json.dumps(total, indent=2) + "\n")
    print(json.dumps(total, indent=2))  # noqa: T201 - the command's output
    return 1 if total["wrong"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make soak", usage="make soak [RIDES=N] [SEED=N]", description=__doc__
    )
    add = parser.add_argument
    add("--rides", type=_whole("RIDES", 1), default=1_000_000, help="how many rides (1000000)")
    add("--seed", type=_whole("SEED", 0), default=2021, help="decides rides and faults (2021)")
    add("--rate", type=_probability, default=0.03, help="probability of each fault (0.03)")
    add("--report", type=Path, required=True, help="where the account goes, as JSON")
    return parser.parse_args()


def _whole(name: str, least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise argparse.ArgumentTypeError(
                f"{name}={text!r} is not allowed; it must be a whole number from {least}"
            )
        return int(text)

    return parse


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; it must be a probability, from 0 to 1"
        )
    return value


def _soak(rides: int, seed: int, rate: float) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    wrong: list[str] = []
    slowest = attempts = 0.0
    began = time.monotonic()
    for number, start in enumerate(range(0, rides, ROUND)):
        end = min(start + ROUND, rides)
        report = asdict(World(seed + number, end - start, rate).run())
        faults.update(report.pop("faults"))
        wrong += report.pop("wrong")
        slowest = max(slowest, report.pop("slowest_recovery_seconds"))
        attempts = max(attempts, report.pop("most_attempts"))
        counts.update(report)
        print(f"{end} rides, {len(wrong)} wrong", file=sys.stderr)  # noqa: T201
    return {
        "seed": seed,
        "rate": rate,
        **counts,
        "most_attempts": attempts,
        "slowest_recovery_seconds": slowest,
        "wrong": wrong,
        "faults": dict(sorted(faults.items())),
        "fault_total": faults.total(),
        "seconds": round(time.monotonic() - began),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    sys.exit(main())
