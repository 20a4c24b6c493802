"""How much faster a ride is in one call with 1,000 than in a call of its own.

The handler runs as Lambda runs it, with the sample model: once with a stream in memory (the handler
alone) and once with boto3 putting to a stub on loopback that takes everything at once. Both ways to
send the same 1,000 rides take turns; the figures are medians.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from benchmarks.stub import kinesis_stub
from local.stack import PROJECT
from model_service.bootstrap import build_service, load_model
from model_service.deadline import Deadline
from model_service.events import RideEvent
from model_service.fakes import FakeKinesis, kinesis_event
from model_service.service import Service
from model_service.settings import Settings
from model_service.sinks import NoRejectionStore, PredictionStream
from training.synthetic import synthetic_rides

RIDES = 1000
ROUNDS = 7


def main() -> None:
    """Train a model, measure, and print a line for each way to put."""
    logging.disable(logging.WARNING)
    os.environ.update(
        AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION="us-east-1"
    )
    with tempfile.TemporaryDirectory() as folder, kinesis_stub() as endpoint:
        settings = Settings.from_environ(
            {
                "MODEL_LOCATION": _train(folder),
                "KINESIS_ENDPOINT_URL": endpoint,
                "RETURN_PREDICTIONS": "False",
            }
        )
        _report("handler alone", _with_stream_in_memory(settings))
        _report("handler and boto3", build_service(settings))


def _train(folder: str) -> str:
    """Train the sample model; gives its folder."""
    training = subprocess.run(
        [sys.executable, "-m", "training"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(training.stdout.splitlines()[-1])["model_location"])


def _with_stream_in_memory(settings: Settings) -> Service:
    return Service(
        model=load_model(settings),
        predictions=PredictionStream(FakeKinesis(), settings.predictions_stream),
        rejections=NoRejectionStore(),
        return_predictions=settings.return_predictions,
    )


def _report(name: str, service: Service) -> None:
    payloads = [
        msgspec.json.encode(RideEvent(synthetic.ride, ride_id))
        for ride_id, synthetic in enumerate(synthetic_rides(RIDES, seed=7))
    ]
    batch = [kinesis_event(payloads)]
    singles = [kinesis_event([payload]) for payload in payloads]
    _seconds(service, [*batch, *singles])  # warms both up
    together, alone = [], []
    for _ in range(ROUNDS):
        together.append(_seconds(service, batch) / RIDES)
        alone.append(_seconds(service, singles) / RIDES)
    fast, slow = statistics.median(together), statistics.median(alone)
    print(
        f"{name:<18} {slow / fast:6.1f} times faster a ride in one call with {RIDES}: "
        f"{fast * 1e6:7.1f} us a ride, in calls of one {slow * 1e6:7.1f} us"
    )


def _seconds(service: Service, events: Sequence[Mapping[str, Any]]) -> float:
    start = time.perf_counter()
    for event in events:
        service.handle(event, Deadline(60))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
