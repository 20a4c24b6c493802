"""A SAM template's streams, buckets, tables and functions, running on the emulator."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

from local.account import ACCOUNT, REGION
from local.destination import Destination, NoDestination, S3Destination, SqsDestination
from local.emulator import Emulator
from local.function import InProcessFunction
from local.mapping import EventSourceMapping
from local.schedule import Schedule
from local.settings import MappingSettings
from local.tables import create_table
from local.template import Function, Template, read_template

PROJECT = Path(__file__).resolve().parent.parent
MODEL_BUCKET = "mlflow-models"


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM; shells start some jobs with SIGINT ignored.

    Only the first SIGTERM counts: make sends its children another one, which would end the cleanup.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What training says at its end; the scores are in the units of the target."""

    run_id: str
    experiment_id: str
    model_sha256: str
    rmse: float


def train_model(emulator: Emulator, folder: Path, *options: str) -> TrainedModel:
    """Train a model with this project's own command, and log it to the emulator's S3.

    Args:
        emulator: Holds the model bucket.
        folder: Where MLflow's tracking database goes.
        options: Options of `python -m training`.

    Raises:
        RuntimeError: Training failed; the message has what it printed.
    """
    emulator.client("s3").create_bucket(Bucket=MODEL_BUCKET)
    environ = {
        **{n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "MLFLOW_"))},
        **emulator.environ,
        "MODEL_BUCKET": MODEL_BUCKET,
    }
    result = run_training(environ, *options, folder=folder)
    return TrainedModel(**{name: result[name] for name in TrainedModel.__annotations__})


def train_models(emulator: Emulator, folder: Path) -> tuple[TrainedModel, TrainedModel]:
    """Train a model of durations and one of tips, at the same time.

    Raises:
        RuntimeError: Training failed; the message has what it printed.
    """
    emulator.client("s3").create_bucket(Bucket=MODEL_BUCKET)

    def train(target: str) -> TrainedModel:
        # A tracking database each: two processes do not set up one.
        (folder / target).mkdir()
        return train_model(emulator, folder / target, "--target", target)

    with ThreadPoolExecutor(2) as workers:
        duration, tip = workers.map(train, ("duration", "tip"))
    return duration, tip


def parameters_of(duration: TrainedModel, tip: TrainedModel) -> dict[str, str]:
    """What template.yaml wants to know to deploy two predictors, and decisions on what they say."""
    # Both read each ride that is put, whenever they have started.
    return {
        "ModelBucket": MODEL_BUCKET,
        "RunId": duration.run_id,
        "TipRunId": tip.run_id,
        "TipStartingPosition": "TRIM_HORIZON",
    }


def run_training(
    environ: Mapping[str, str], *options: str, folder: Path = PROJECT
) -> dict[str, Any]:
    """Run `python -m training` in a folder; answer with its last line.

    Raises:
        RuntimeError: It failed; the message has what it printed.
    """
    command = [sys.executable, "-m", "training", *options]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=folder,
        env={**environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class Stack:
    """The resources of a template on an emulator, and its functions being fed.

    Args:
        emulator: A running emulator.
        parameters: Values of the template's parameters.
        path: The template.

    Raises:
        TemplateError: The template cannot be run locally.
        ServiceError: A function refuses to start.
    """

    def __init__(
        self,
        emulator: Emulator,
        parameters: Mapping[str, str],
        path: Path = PROJECT / "template.yaml",
    ) -> None:
        self.emulator = emulator
        self.template: Template = read_template(path, parameters, REGION)
        self._create_resources()
        self.mappings: list[EventSourceMapping] = []
        self.schedules: list[Schedule] = []
        for function in self.template.functions:
            self._feed(function, path.parent)

    def __enter__(self) -> Self:
        for mapping in self.mappings:
            mapping.start()
        for schedule in self.schedules:
            schedule.start()
        return self

    def __exit__(self, *_: object) -> None:
        for schedule in self.schedules:
            schedule.stop()
        for mapping in self.mappings:
            mapping.stop()

    def _create_resources(self) -> None:
        kinesis, s3 = self.emulator.client("kinesis"), self.emulator.client("s3")
        for stream in self.template.streams:
            kinesis.create_stream(StreamName=stream.name, ShardCount=stream.shards)
            kinesis.get_waiter("stream_exists").wait(
                StreamName=stream.name, WaiterConfig={"Delay": 1}
            )
        for bucket in self.template.buckets:
            s3.create_bucket(Bucket=bucket)
        for table in self.template.tables:
            create_table(self.emulator.client("dynamodb"), table)
        for queue in self.template.queues:
            self.emulator.client("sqs").create_queue(QueueName=queue)

    def _feed(self, function: Function, folder: Path) -> None:
        loaded = InProcessFunction(function, folder, self.emulator.environ)
        self.mappings += [
            EventSourceMapping(
                self.emulator.client("kinesis"),
                loaded,
                settings,
                self._destination(function, settings),
            )
            for settings in function.mappings
        ]
        self.schedules += [
            Schedule(name, loaded, seconds) for name, seconds in function.schedules.items()
        ]

    def _destination(self, function: Function, settings: MappingSettings) -> Destination:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        if settings.failure_bucket is not None:
            return S3Destination(
                self.emulator.client("s3"),
                settings.failure_bucket,
                mapping_id=str(uuid.uuid5(uuid.NAMESPACE_URL, settings.name)),
                function_arn=arn,
            )
        if settings.failure_queue is not None:
            sqs = self.emulator.client("sqs")
            url = sqs.get_queue_url(QueueName=settings.failure_queue)["QueueUrl"]
            return SqsDestination(sqs, url, function_arn=arn)
        return NoDestination()
