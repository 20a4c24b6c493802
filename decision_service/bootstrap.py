"""The composition root: settings -> a service, with its clients made."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config

from decision_service.cases import Rules
from decision_service.policy import load_policy
from decision_service.service import DecisionStream, Service
from decision_service.settings import Settings
from decision_service.store import WRITERS, DynamoStore
from streams.connect import QUICK, make_client, rejection_sink, stream_writer
from streams.deadline import Context, Deadline
from streams.records import BatchResponse

Handler = Callable[[Mapping[str, Any], Context | None], BatchResponse | dict[str, int]]


def build_handler(environ: Mapping[str, str]) -> Handler:
    """A Lambda handler: it joins a batch of predictions, or decides what is due by a schedule.

    Args:
        environ: What `Settings` is read from.

    Raises:
        SettingsError: A variable is missing or wrong, or the policy cannot be loaded.
    """
    service = build_service(Settings.from_environ(environ))

    def lambda_handler(
        event: Mapping[str, Any], context: Context | None
    ) -> BatchResponse | dict[str, int]:
        deadline = Deadline.of(context)
        # "Using Lambda with Amazon EventBridge": what a schedule's event says of itself.
        if isinstance(event, Mapping) and event.get("source") == "aws.events":
            return service.sweep(deadline)
        return service.handle(event, deadline)

    return lambda_handler


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
            make_client("dynamodb", settings.region, _MANY),
            settings.table,
            settings.keep_hours * 3600,
        ),
        decisions=DecisionStream(
            stream_writer(settings.decisions_stream, settings.region, settings.kinesis_endpoint_url)
        ),
        rejections=rejection_sink(
            settings.failures_bucket,
            settings.name,
            settings.version,
            lambda: make_client("s3", settings.region, QUICK),
        ),
    )


_MANY = QUICK.merge(Config(max_pool_connections=WRITERS))
