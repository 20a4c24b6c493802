"""Fuzz every reader, several at a time: `python -m fuzz --runs 10000000`.

The Python that runs this needs atheris; `requirements/fuzz.txt` lists it. The same seed tries the
same inputs. What is found is written to `.local/fuzz/`, to be tried again with
`python -m fuzz.guided TARGET FILE`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from fuzz.targets import TARGETS

PROJECT = Path(__file__).resolve().parent.parent
CORPUS = PROJECT / "fuzz/corpus"
WORDS = PROJECT / "fuzz/words.dict"
FOUND = PROJECT / ".local/fuzz"

# Bounds that hold for every single input.
MAX_INPUT_BYTES = 1024
MAX_SECONDS = 10
MAX_RSS_MB = 512

# Reading YAML is ten times slower than all else: it starts first, and has half a share of the runs.
_SHARES = {"mlmodel": 0.5} | {target: 1.0 for target in TARGETS if target != "mlmodel"}

_GUIDED = (sys.executable, "-m", "fuzz.guided")
_DONE = re.compile(r"^#(?P<inputs>\d+)\s+DONE\s+cov: (?P<coverage>\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target.

    Attributes:
        inputs: How many were tried.
        coverage: Edges of the code that they reached.
        seconds: Wall clock, start included.
        failure: The end of libFuzzer's log, None if all inputs did as they should.
    """

    target: str
    inputs: int
    coverage: int
    seconds: float
    failure: str | None

    def __str__(self) -> str:
        if self.failure is not None:
            return f"{self.target}: FAILED after {self.seconds:.0f} s\n{self.failure}"
        return (
            f"{self.target:12} {self.inputs:>10,} inputs, coverage {self.coverage:>4}, "
            f"{self.seconds:5.0f} s, {self.inputs / self.seconds:8,.0f} inputs/s"
        )


def fuzz(target: str, runs: int, seed: int) -> Outcome:
    """Try so many inputs on a target, in a process of its own."""
    FOUND.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as grown:
        done = subprocess.run(  # noqa: S603 - this package itself
            [*_GUIDED, target, *_options(target, runs, seed), grown, str(CORPUS / target)],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    return _outcome(target, done, time.monotonic() - started)


def _options(target: str, runs: int, seed: int) -> list[str]:
    return [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={MAX_SECONDS}",
        f"-rss_limit_mb={MAX_RSS_MB}",
        f"-dict={WORDS}",
        f"-artifact_prefix={FOUND}/{target}-",
    ]


def _outcome(target: str, done: subprocess.CompletedProcess[str], seconds: float) -> Outcome:
    summary = _DONE.search(done.stdout)
    if done.returncode or summary is None:
        return Outcome(target, 0, 0, seconds, done.stdout[-4000:])
    return Outcome(target, int(summary["inputs"]), int(summary["coverage"]), seconds, None)


def fuzz_all(targets: Sequence[str], *, runs: int, seed: int, jobs: int) -> Iterator[Outcome]:
    """Fuzz targets, so many at a time; each outcome comes when it is there."""
    share = runs / sum(_SHARES[target] for target in targets)
    with ThreadPoolExecutor(jobs) as pool:
        started = [
            pool.submit(fuzz, target, ceil(share * _SHARES[target]), seed) for target in targets
        ]
        for done in as_completed(started):
            yield done.result()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0 if no input did what it should not."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    add = parser.add_argument
    add("--runs", type=_whole(1), default=10_000_000, help="inputs in all (%(default)s)")
    add("--seed", type=_whole(0), default=1, help="1 if not given; 0 is a new one")
    add("--jobs", type=_whole(1), default=2, help="targets at a time (%(default)s)")
    given = parser.parse_args(arguments)
    unknown = set(given.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"no such target: {min(unknown)}; there are {', '.join(TARGETS)}")
    targets = [target for target in _SHARES if target in (given.targets or TARGETS)]
    return _report(fuzz_all(targets, runs=given.runs, seed=given.seed, jobs=given.jobs))


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        # libFuzzer keeps both in 32 bits.
        if not (text.isascii() and text.isdecimal() and least <= int(text) < 2**31):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not allowed; it must be a whole number from {least} to {2**31 - 1:,}"
            )
        return int(text)

    return parse


def _report(outcomes: Iterator[Outcome]) -> int:
    started, inputs, failed = time.monotonic(), 0, 0
    for outcome in outcomes:
        print(outcome, flush=True)  # noqa: T201 - a command
        inputs += outcome.inputs
        failed += outcome.failure is not None
    seconds = time.monotonic() - started
    print(f"{inputs:,} inputs in {seconds:.0f} s; {failed} targets failed")  # noqa: T201 - a command
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
