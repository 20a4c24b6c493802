"""The composition root: settings -> a service, with its clients made."""

from typing import Any

from botocore.config import Config

from decision_service.cases import Rules
from decision_service.policy import load_policy
from decision_service.service import Service
from decision_service.settings import Settings
from decision_service.sink import DecisionStream
from decision_service.store import WRITERS, DynamoStore
from model_service.bootstrap import QUICK, make_client, rejection_sink
from model_service.sinks import PredictionStream


def build_service(settings: Settings) -> Service:
    """Load the policy, make the clients, and put them together.

    Raises:
        SettingsError: The policy cannot be loaded, or no region is set.
    """
    return Service(
        rules=Rules(
            key_field=settings.key_field,
            needed=settings.needed,
            policy=load_policy(settings.policy),
            name=settings.name,
            version=settings.version,
            window_seconds=settings.window_seconds,
        ),
        store=DynamoStore(
            _client("dynamodb", settings, config=_MANY),
            settings.table,
            settings.keep_hours * 3600,
        ),
        decisions=DecisionStream(
            PredictionStream(
                _client("kinesis", settings, endpoint_url=settings.kinesis_endpoint_url),
                settings.decisions_stream,
            )
        ),
        rejections=rejection_sink(
            settings.failures_bucket,
            settings.name,
            settings.version,
            lambda: _client("s3", settings),
        ),
    )


_MANY = QUICK.merge(Config(max_pool_connections=WRITERS))


def _client(
    service: str, settings: Settings, *, config: Config = QUICK, endpoint_url: str | None = None
) -> Any:
    return make_client(service, settings.region, config, endpoint_url)
