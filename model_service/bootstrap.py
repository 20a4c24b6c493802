"""The composition root: settings -> a service, with its model in memory and its clients made."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from model_service.artifacts import fetch_model
from model_service.errors import SettingsError
from model_service.model_files import read_mlmodel
from model_service.packing import PackedStream
from model_service.predictors import load_predictor
from model_service.put_records import quicken
from model_service.service import Model, Service
from model_service.settings import Settings
from model_service.sinks import (
    NoRejectionStore,
    NoStream,
    PredictionSink,
    PredictionStream,
    RejectionSink,
    RejectionStore,
    S3Writer,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

# Two attempts of 1 + 2 seconds, and up to 1 second between them: `deadline.CALL_SECONDS`.
QUICK = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5})


def build_service(settings: Settings) -> Service:
    """Fetch and load the model, make the clients, and put them together.

    Raises:
        SettingsError: A setting is missing.
        ModelNotFound: There is no model where the settings say.
        ModelRefused: The model must not be loaded.
    """
    # The stream first: a setting that it misses is told of before a model is brought from S3.
    predictions = _prediction_sink(settings)
    model = load_model(settings)
    return Service(
        model=model,
        predictions=predictions,
        rejections=_rejection_sink(settings, model),
        return_predictions=settings.return_predictions,
    )


def load_model(settings: Settings) -> Model:
    """Fetch and load the model that the settings name.

    Raises:
        SettingsError: No run ID is set, and the model names none.
        ModelNotFound: There is no model where the settings say.
        ModelRefused: The model must not be loaded.
    """
    return model_in(bring_model(settings), settings)


def bring_model(settings: Settings) -> Path:
    """The folder of the model that the settings name, brought from S3 if it is there.

    Raises:
        ModelNotFound: There is no model where the settings say.
        ModelRefused: It is not the one that is pinned, or its files are not those of a model.
    """
    return fetch_model(settings, lambda: make_client("s3", settings.region, _PATIENT))


def model_in(folder: Path, settings: Settings) -> Model:
    """Load the model of a folder, under the names and the trust that the settings give it.

    Raises:
        SettingsError: No run ID is set, and the model names none.
        ModelRefused: The model must not be loaded.
    """
    version = settings.run_id or read_mlmodel(folder).run_id
    if version is None:
        raise SettingsError(
            f"RUN_ID is not set, and the model in {settings.model_location} names no run; "
            "set RUN_ID, which is the version in prediction events"
        )
    return Model(
        name=settings.model_name,
        version=version,
        field=settings.prediction_field,
        predictor=load_predictor(folder, trusted=settings.trusts_pickles),
    )


def _prediction_sink(settings: Settings) -> PredictionSink:
    if settings.test_run:
        return NoStream()
    stream = stream_of(settings.predictions_stream, settings.region, settings.kinesis_endpoint_url)
    return PackedStream(stream) if settings.aggregate_predictions else stream


def stream_of(name: str, region: str | None, endpoint_url: str | None) -> PredictionStream:
    """An output stream, on a client of its own that puts quickly and gives up soon.

    Args:
        name: The stream's.
        region: Its AWS region; None leaves it to boto3's configuration files.
        endpoint_url: Endpoint of an emulator.

    Raises:
        SettingsError: There is no region, or the endpoint is no URL.
    """
    return PredictionStream(quicken(make_client("kinesis", region, QUICK, endpoint_url)), name)


def _rejection_sink(settings: Settings, model: Model) -> RejectionSink:
    if settings.test_run:
        return NoRejectionStore()
    return rejection_sink(
        settings.failures_bucket,
        model.name,
        model.version,
        lambda: make_client("s3", settings.region, QUICK),
    )


def rejection_sink(
    bucket: str | None, model: str, version: str, make_s3: Callable[[], S3Writer]
) -> RejectionSink:
    """Where rejections go: to a bucket, if there is one.

    Args:
        bucket: Its name.
        model: Who rejects; a part of keys.
        version: The same.
        make_s3: Makes a client of S3.
    """
    if bucket is None:
        logger.warning("FAILURES_BUCKET is not set: each bad record is reported as a failed item")
        return NoRejectionStore()
    return RejectionStore(make_s3(), bucket, model, version)


@overload
def make_client(
    service: Literal["dynamodb"], region: str | None, config: Config
) -> "DynamoDBClient": ...
@overload
def make_client(
    service: Literal["kinesis"], region: str | None, config: Config, endpoint_url: str | None = None
) -> "KinesisClient": ...
@overload
def make_client(service: Literal["s3"], region: str | None, config: Config) -> "S3Client": ...
def make_client(
    service: Literal["dynamodb", "kinesis", "s3"],
    region: str | None,
    config: Config,
    endpoint_url: str | None = None,
) -> "DynamoDBClient | KinesisClient | S3Client":
    """A boto3 client.

    Raises:
        SettingsError: There is no region, or an endpoint is no URL.
    """
    try:
        return boto3.client(service, region_name=region, config=config, endpoint_url=endpoint_url)
    except NoRegionError:
        raise SettingsError(
            "AWS_DEFAULT_REGION is not set; set it to the region of the streams, such as eu-west-1"
        ) from None
    except ValueError as error:
        raise SettingsError(
            f"KINESIS_ENDPOINT_URL or AWS_ENDPOINT_URL is not allowed ({error}); "
            "they must be http:// or https:// URLs"
        ) from None
