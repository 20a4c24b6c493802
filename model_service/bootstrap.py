"""The composition root: settings -> a service, with its model in memory and its clients made."""

import logging

from model_service.models.loading import Model, load_model
from model_service.service import Service
from model_service.settings import Settings
from streams.connect import QUICK, make_client, rejection_sink, stream_writer
from streams.packed_writer import PackedWriter
from streams.records import UserRecord
from streams.rejections import NoRejectionStore, RejectionSink
from streams.writer import NoStream, Writer

logger = logging.getLogger(__name__)


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


def _prediction_sink(settings: Settings) -> Writer[UserRecord]:
    if settings.test_run:
        return NoStream()
    stream = stream_writer(
        settings.predictions_stream, settings.region, settings.kinesis_endpoint_url
    )
    return PackedWriter(stream) if settings.aggregate_predictions else stream


def _rejection_sink(settings: Settings, model: Model) -> RejectionSink:
    if settings.test_run:
        return NoRejectionStore()
    return rejection_sink(
        settings.failures_bucket,
        model.name,
        model.version,
        lambda: make_client("s3", settings.region, QUICK),
    )
