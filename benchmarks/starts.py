"""Cold starts: processes from the first line of a script to the first prediction, in turns."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import benchmarks.cold
from benchmarks.events import kinesis_events
from benchmarks.results import Start
from benchmarks.statistics import Spread, ratio
from benchmarks.worker import worker_environ

REFERENCE = "reference"
CLIENTS = "boto3 and two clients"
PRODUCT = "product"
PRODUCT_SKLEARN = "product, scikit-learn"

_SCRIPTS = {
    PRODUCT: "cold_product",
    PRODUCT_SKLEARN: "cold_product",
    REFERENCE: "cold_reference",
    CLIENTS: "cold_clients",
}


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that starts, and what was measured of it so far.

    Attributes:
        what: One of the names above.
        model: Name of its model; empty for none.
        environ: Its variables: where the model is, and the stream.
    """

    what: str
    model: str
    environ: Mapping[str, str]
    seconds: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)

    def start(self, events: Path) -> None:
        """Run its process once."""
        script = Path(benchmarks.cold.__path__[0]) / f"{_SCRIPTS[self.what]}.py"
        done = subprocess.run(
            [sys.executable, script, events],
            env={**worker_environ(), **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.what} did not start:\n{done.stderr}")
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        self.seconds.append(said["seconds"])
        self.resident_mib.append(said["resident_mib"])


def write_events(rides: Path, path: Path) -> None:
    """Write the two events that a contender is handed."""
    path.write_text("".join(f"{json.dumps(kinesis_events(rides, n)[0])}\n" for n in (1, 1000)))


def measure(contenders: Sequence[Contender], events: Path, rounds: int) -> list[Start]:
    """Start each once in every round; the first round, which fills caches, does not count."""
    for contender in contenders:
        contender.start(events)
        contender.seconds.clear()
        contender.resident_mib.clear()
    for _ in range(rounds):
        for contender in contenders:
            contender.start(events)
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
