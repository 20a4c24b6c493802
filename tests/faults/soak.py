"""`make soak`: a million rides with faults on, in rounds, and a report."""

import argparse
import json
import logging
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local import mapping, poller
from tests.faults.world import World

ROUND = 50_000


def main() -> int:
    """Run the rounds; the exit status is 0 only if nothing was lost or wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--rides", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2021)
    parser.add_argument("--rate", type=float, default=0.03, help="probability of each fault")
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # faults are the rule here
    mapping.DISCOVERY_SECONDS = 0.05
    poller.MAX_BACKOFF_SECONDS = 0.005
    total = _soak(options.rides, options.seed, options.rate)
    options.report.write_text(json.dumps(total, indent=2) + "\n")
    print(json.dumps(total, indent=2))  # noqa: T201 - the command's output
    return 1 if total["wrong"] else 0


def _soak(rides: int, seed: int, rate: float) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    wrong: list[str] = []
    slowest = attempts = 0.0
    began = time.monotonic()
    for number, start in enumerate(range(0, rides, ROUND)):
        report = asdict(World(seed + number, min(ROUND, rides - start), rate).run())
        faults.update(report.pop("faults"))
        wrong += report.pop("wrong")
        slowest = max(slowest, report.pop("slowest_recovery_seconds"))
        attempts = max(attempts, report.pop("most_attempts"))
        counts.update(report)
        print(f"{start + ROUND} rides, {len(wrong)} wrong", file=sys.stderr)  # noqa: T201
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
