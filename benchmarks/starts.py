"""Cold starts: processes from the first line of a script to the first prediction, in turns."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench_rides import kinesis_events
from benchmarks.results import Spread, Start, ratio
from benchmarks.ways import ENVIRON
from local.sample_models import PROJECT

REFERENCE = "reference"
CLIENTS = "boto3 and two clients"
PRODUCT = "product"
PRODUCT_SKLEARN = "product, scikit-learn"

# Names that `cold_start` knows.
_CONTENDERS = {
    REFERENCE: "reference",
    CLIENTS: "clients",
    PRODUCT: "product",
    PRODUCT_SKLEARN: "product",
}
_SCRIPT = Path(__file__).with_name("cold_start.py")


@dataclass(frozen=True, slots=True)
class Contender:
    """A process to start, and the measurements so far.

    Attributes:
        what: One of the names above.
        model: Name of its model; empty for none.
        environ: Variables that name the model and the stream.
    """

    what: str
    model: str
    environ: Mapping[str, str]
    seconds: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)

    def start(self, events: Path) -> None:
        """Run the process once, without the variables of this shell."""
        shell = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            [sys.executable, "-P", _SCRIPT, _CONTENDERS[self.what], events],
            env={**shell, **ENVIRON, **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.what} did not start:\n{done.stderr}")
        found = json.loads(done.stdout.splitlines()[-1])
        self.seconds.append(found["seconds"])
        self.resident_mib.append(found["resident_mib"])


def write_events(rides: Path, path: Path) -> None:
    """Write the two events that a contender handles."""
    path.write_text("".join(f"{json.dumps(kinesis_events(rides, n)[0])}\n" for n in (1, 1000)))


def measure(contenders: Sequence[Contender], events: Path, rounds: int) -> list[Start]:
    """Start each contender once a round; an extra first round fills caches and does not count."""
    for counted in (False, *[True] * rounds):
        for contender in contenders:
            contender.start(events)
            if not counted:
                contender.seconds.clear()
                contender.resident_mib.clear()
    return [_start(contender, contenders) for contender in contenders]


def _start(contender: Contender, contenders: Sequence[Contender]) -> Start:
    def against(what: str, model: str) -> Spread | None:
        others = [c for c in contenders if (c.what, c.model) == (what, model)]
        return ratio(contender.seconds, others[0].seconds) if others else None

    return Start(
        what=contender.what,
        model=contender.model,
        seconds=Spread.of(contender.seconds),
        of_reference=against(REFERENCE, contender.model),
        of_clients=against(CLIENTS, ""),
        resident_mib=Spread.of(contender.resident_mib),
    )
