"""One run: every measurement in sequence, with one set of rides and models."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import installed, speeds, starts
from benchmarks.bench_plan import MODELS, Plan
from benchmarks.bench_rides import Rides, write_rides
from benchmarks.models import KINDS, TrainedModel, train
from benchmarks.results import Puts, Results, Speed, Start, Way
from benchmarks.starts import CLIENTS, PRODUCT, PRODUCT_SKLEARN, REFERENCE, Contender
from benchmarks.stub import kinesis_stub
from event_source_mapping.emulator import Emulator
from local.sample_models import PROJECT
from training.kinds import Kind

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREDICTED = 5_000
DELAY_SECONDS = 0.015
_BUCKET = "models"
_EXPERIMENT = "1"
_PACKAGES = ("boto3", "mlflow", "msgspec", "numpy", "onnxruntime", "scikit-learn")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share.

    Attributes:
        plan: How much is measured.
        folder: For models and events.
        rides: File of the rides that are predicted repeatedly.
        models: By name.
        endpoints: URLs of the stubs; None for no puts.
        say: Reports progress.
    """

    plan: Plan
    folder: Path
    rides: Path
    models: Mapping[str, TrainedModel]
    endpoints: Mapping[Puts, str | None]
    say: Say

    def speeds(self) -> list[Speed]:
        """Time every model without puts, and the linear one with puts."""
        cells = [(model, Puts.NONE) for model in self.models]
        cells += [("linear", Puts.INSTANT), ("linear", Puts.LATENT)]
        return [speed for model, puts in cells for speed in self._speeds(model, puts)]

    def _speeds(self, model: str, puts: Puts) -> list[Speed]:
        self.say(f"speed: {model} model, puts: {puts}")
        jobs = [
            speeds.Job(way, self.models[model].served(way), self.endpoints[puts], self.rides)
            for way in self.plan.ways
            if puts is Puts.NONE or way is not Way.FLOOR
        ]
        return speeds.measure(model, jobs, puts, self.plan)

    def starts(self) -> list[Start]:
        """Time cold starts, with the models in an S3 of this process."""
        self.say("cold starts")
        events = self.folder / "events.jsonl"
        starts.write_events(self.rides, events)
        with Emulator() as emulator:
            s3 = emulator.client("s3")
            s3.create_bucket(Bucket=_BUCKET)
            for name, model in self.models.items():
                _upload(s3, model.folder, name)
                _upload(s3, model.without_twin, f"{name}-without-twin")
            contenders = [*self._contenders(emulator.endpoint)]
            return starts.measure(contenders, events, self.plan.start_rounds)

    def _contenders(self, s3: str) -> Iterator[Contender]:
        def environ(run_id: str) -> dict[str, str]:
            return {
                "MODEL_BUCKET": _BUCKET,
                "MLFLOW_EXPERIMENT_ID": _EXPERIMENT,
                "RUN_ID": run_id,
                "KINESIS_ENDPOINT_URL": self.endpoints[Puts.INSTANT] or "",
                "AWS_ENDPOINT_URL": s3,
                "MLFLOW_S3_ENDPOINT_URL": s3,
                "FAILURES_BUCKET": _BUCKET,
                "RETURN_PREDICTIONS": "False",
            }

        yield Contender(CLIENTS, "", environ(""))
        for name in self.plan.start_models:
            yield Contender(PRODUCT, name, environ(name))
            if Way.SKLEARN in self.plan.ways:
                yield Contender(PRODUCT_SKLEARN, name, environ(f"{name}-without-twin"))
            yield Contender(REFERENCE, name, environ(name))


def run(plan: Plan, rides: Rides, folder: Path, cache: Path, command: str, say: Say) -> Results:
    """Measure everything.

    Args:
        plan: How much.
        rides: To train on and to predict.
        folder: For models and events; empty.
        cache: Where installed packages are kept.
        command: The command that repeats this run, for the report.
        say: Reports progress.
    """
    began, load = time.monotonic(), os.getloadavg()[0]
    predicted = folder / "rides.jsonl"
    write_rides(predicted, rides.held_out[:PREDICTED])
    models = {name: _train(name, plan, rides, folder, say) for name in MODELS}
    with ExitStack() as running:
        endpoints = {
            Puts.NONE: None,
            Puts.INSTANT: running.enter_context(kinesis_stub()),
            Puts.LATENT: running.enter_context(kinesis_stub(DELAY_SECONDS)),
        }
        bench = Bench(plan, folder, predicted, models, endpoints, say)
        speeds, starts = bench.speeds(), bench.starts()
    say("installed size")
    return Results(
        speeds=speeds,
        starts=starts,
        installed_mib=installed.measure(cache, may_install=plan.installs),
        largest_difference=max(model.difference for model in models.values()),
        about=_about(command, rides, time.monotonic() - began, load),
    )


def _train(name: str, plan: Plan, rides: Rides, folder: Path, say: Say) -> TrainedModel:
    kind = KINDS[name]
    examples = rides.first(plan.forest_rides) if kind is Kind.FOREST else rides.train
    say(f"training the {name} model on {len(examples.rides)} rides")
    return train(kind, examples, rides.held_out, folder / name)


def _upload(s3: "S3Client", folder: Path, run_id: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{_EXPERIMENT}/{run_id}/artifacts/model/{path.relative_to(folder)}"
            s3.upload_file(str(path), _BUCKET, key)


def _about(command: str, rides: Rides, seconds: float, load: float) -> str:
    git = ["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    processor = cpus[0].partition(":")[2].strip() if cpus else platform.machine()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return (
        f"`{command}` on {datetime.now(UTC).date()}, at commit {commit or 'none'}, in "
        f"{seconds / 60:.0f} minutes. {processor}, {len(os.sched_getaffinity(0))} cores, "
        f"{gib:.0f} GiB, load average {load:.2f} at the start; "
        f"Python {platform.python_version()}, {versions}. Rides: {rides.source}. "
        "Medians, with quartiles in brackets."
    )
