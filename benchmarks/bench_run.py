"""One run: every measurement, one after the other, on one set of rides and models."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks import equality, growth, installed, speeds, starts
from benchmarks.bench_plan import Plan
from benchmarks.bench_rides import Rides
from benchmarks.events import write_rides
from benchmarks.machine import this_machine
from benchmarks.models import KINDS, TrainedModel, train
from benchmarks.results import (
    Equality,
    Growth,
    Installed,
    LongRun,
    Puts,
    Results,
    Speed,
    Stage,
    Start,
    Way,
)
from benchmarks.stages import STAGES
from benchmarks.starts import CLIENTS, PRODUCT, PRODUCT_SKLEARN, REFERENCE, Contender
from benchmarks.statistics import Spread
from benchmarks.stub import kinesis_stub
from benchmarks.worker import worker_environ
from event_source_mapping.emulator import Emulator
from training.kinds import Kind

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREDICTED = 5_000
DELAY_SECONDS = 0.015
_BUCKET = "models"
_EXPERIMENT = "1"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share.

    Attributes:
        plan: How much is measured.
        folder: For models and events.
        rides: File of the rides that are predicted, again and again.
        models: By name.
        endpoints: Of the stubs, by what they are called; None for no puts.
        say: Takes what is being done.
    """

    plan: Plan
    folder: Path
    rides: Path
    models: Mapping[str, TrainedModel]
    endpoints: Mapping[Puts, str | None]
    say: Say

    def speeds(self) -> list[Speed]:
        """Every model without puts, the linear one with puts, too."""
        cells = [(model, Puts.NONE) for model in self.models]
        cells += [("linear", Puts.INSTANT), ("linear", Puts.LATENT)]
        return [speed for model, puts in cells for speed in self._speeds(model, puts)]

    def _speeds(self, model: str, puts: Puts) -> list[Speed]:
        self.say(f"speed: {model} model, puts: {puts}")
        return speeds.measure(
            model,
            self.models[model],
            self.rides,
            puts=puts,
            endpoint=self.endpoints[puts],
            plan=self.plan,
        )

    def stages(self) -> list[Stage]:
        """Stages of the linear model, in a process of their own."""
        self.say("stages")
        words = [self.models["linear"].folder, self.rides, self.plan.rounds, *self.plan.batches]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.stages", *map(str, words)],
            env=worker_environ(),
            stdout=subprocess.PIPE,
            check=True,
        )
        lines = msgspec.json.Decoder(tuple[int, dict[str, float]]).decode_lines(done.stdout)
        return [
            Stage(batch, stage, Spread.of([took[stage] for size, took in lines if size == batch]))
            for batch in self.plan.batches
            for stage in STAGES
        ]

    def starts(self) -> list[Start]:
        """Cold starts, with the models in an S3 of this process."""
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

    def growth(self) -> list[Growth]:
        """Shards, trees and zone pairs."""
        plan, linear = self.plan, self.models["linear"].folder
        self.say("growth: shards")
        latent = self.endpoints[Puts.LATENT] or ""
        by_shards = growth.by_shards(
            linear, self.rides, latent, plan.shards, plan.rounds, plan.seconds
        )
        self.say("growth: trees")
        forest = self.models["forest"].pipeline
        by_trees = growth.by_trees(
            forest, self.rides, self.folder, plan.trees, plan.rounds, plan.seconds
        )
        self.say("growth: zone pairs")
        by_pairs = growth.by_zone_pairs(self.folder, plan.zone_pairs, plan.rounds, plan.seconds)
        return [*by_shards, *by_trees, *by_pairs]

    def equality(self, rides: Rides) -> list[Equality]:
        """Every model and flavour, on all the rides that were held out."""
        self.say(f"equality on {len(rides.held_out)} rides")
        return [
            row
            for name, model in self.models.items()
            for row in equality.compare(name, model, rides.held_out)
        ]

    def installed(self, cache: Path) -> list[Installed]:
        """Sizes, of packages that are kept in a folder."""
        self.say("installed size")
        return installed.measure(cache, may_install=self.plan.installs)

    def long_run(self) -> LongRun:
        """Memory along a million rides, put to the stub."""
        self.say("long run")
        return growth.long_run(
            self.models["linear"].folder,
            self.rides,
            self.endpoints[Puts.INSTANT] or "",
            batch=PREDICTED,
            batches=self.plan.long_batches,
            looks=min(20, self.plan.long_batches),
        )


def run(plan: Plan, rides: Rides, folder: Path, cache: Path, command: str, say: Say) -> Results:
    """Measure everything.

    Args:
        plan: How much.
        rides: To train on and to predict.
        folder: For models and events; empty.
        cache: Where installed packages are kept.
        command: What is run, for the report.
        say: Takes what is being done.
    """
    began, machine = time.monotonic(), this_machine()
    with _bench(plan, rides, folder, say) as bench:
        return Results(
            command=command,
            rides=rides.source,
            machine=machine,
            speeds=bench.speeds(),
            stages=bench.stages(),
            starts=bench.starts(),
            growth=bench.growth(),
            equality=bench.equality(rides),
            long_run=bench.long_run(),
            installed=bench.installed(cache),
            seconds=time.monotonic() - began,  # with the arguments above, which come first
        )


@contextmanager
def _bench(plan: Plan, rides: Rides, folder: Path, say: Say) -> Iterator[Bench]:
    predicted = folder / "rides.jsonl"
    write_rides(predicted, rides.held_out[:PREDICTED])
    models = {name: _train(name, plan, rides, folder, say) for name in plan.models}
    with ExitStack() as running:
        endpoints = {
            Puts.NONE: None,
            Puts.INSTANT: running.enter_context(kinesis_stub()),
            Puts.LATENT: running.enter_context(kinesis_stub(DELAY_SECONDS)),
        }
        yield Bench(plan, folder, predicted, models, endpoints, say)


def _train(name: str, plan: Plan, rides: Rides, folder: Path, say: Say) -> TrainedModel:
    kind = KINDS[name]
    examples = rides.first(plan.forest_rides) if kind is Kind.FOREST else rides.train
    say(f"training the {name} model on {len(examples.rides)} rides")
    return train(kind, examples, rides.held_out[:PREDICTED], folder / name)


def _upload(s3: "S3Client", folder: Path, run_id: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"{_EXPERIMENT}/{run_id}/artifacts/model/{path.relative_to(folder)}"
            s3.upload_file(str(path), _BUCKET, key)
