"""The models that the local stack trains for itself, and how its commands stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from event_source_mapping.emulator import Emulator

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = PROJECT / "template.yaml"
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
