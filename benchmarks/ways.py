"""The handler of every way, ready to be timed."""

import binascii
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.reference import MODEL_NAME, PyfuncModel, Reference
from benchmarks.results import Way

Handle = Callable[[Mapping[str, Any]], object]

VERSION = "7ef5dbd1dc69425e994533b84d3002eb"
# Clients ignore ~/.aws, so that every put goes to the stub.
CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
# For every process that is timed. Boosted trees use OpenMP and have no `n_jobs`.
ENVIRON = {
    **CREDENTIALS,
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "OMP_NUM_THREADS": "1",
}
_SECONDS = 60.0  # the function's timeout in template.yaml


def handler(way: Way, model: Path, endpoint: str | None) -> Handle:
    """Make the handler of one way.

    Args:
        way: The way.
        model: Folder of the model; for scikit-learn's flavour, one without a twin.
        endpoint: URL to put predictions to; None puts none.
    """
    if way is Way.FLOOR:
        return floor()
    if way in (Way.PRODUCT, Way.SKLEARN):
        return product(model, endpoint)
    client = None
    if endpoint is not None:
        import boto3

        client = boto3.client("kinesis", endpoint_url=endpoint)
    return Reference(PyfuncModel(model), VERSION, client, batched=way is Way.BATCHED).handle


def product(model: Path, endpoint: str | None) -> Handle:
    """Build the service as the function does, with the variables that template.yaml sets."""
    from model_service.bootstrap import build_service
    from model_service.settings import Settings
    from streams.deadline import Deadline

    _log_to_nowhere()
    service = build_service(
        Settings.from_environ(
            {
                **CREDENTIALS,
                "MODEL_LOCATION": str(model),
                "RUN_ID": VERSION,
                "TEST_RUN": str(endpoint is None),
                "KINESIS_ENDPOINT_URL": endpoint or "",
                "RETURN_PREDICTIONS": "False",
            }
        )
    )
    return lambda event: service.handle(event, Deadline(_SECONDS))


def floor() -> Handle:
    """Make a handler that only decodes each ride, typed, and encodes an event for it."""
    from model_service.records.prediction_events import PredictionEvent, prediction_of
    from model_service.records.ride_events import RideEvent

    decode, encode = msgspec.json.Decoder(RideEvent).decode, msgspec.json.Encoder().encode
    prediction = prediction_of("ride_duration")

    def handle(event: Mapping[str, Any]) -> list[bytes]:
        encoded = []
        for record in event["Records"]:
            ride = decode(binascii.a2b_base64(record["kinesis"]["data"]))
            event_id = f"{MODEL_NAME}:{VERSION}:{record['eventID']}"
            answer = prediction(21.3, ride.ride_id)
            encoded.append(encode(PredictionEvent(MODEL_NAME, VERSION, answer, event_id)))
        return encoded

    return handle


def _log_to_nowhere() -> None:
    """Format log lines as text and write them to the null device."""
    from streams.logs import set_up_logging

    logging.basicConfig(filename=os.devnull, level=logging.WARNING)
    set_up_logging("model_service", "streams")
