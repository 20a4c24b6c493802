"""Make boto3 clients, and the stream and the bucket that a service writes to."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import NoRegionError

from streams.errors import SettingsError
from streams.put_records_codec import quicken
from streams.rejections import NoRejectionStore, RejectionSink, RejectionStore, S3Writer
from streams.writer import StreamWriter

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client


logger = logging.getLogger(__name__)


# Two attempts of 1 + 2 seconds, and up to 1 second between them: `deadline.CALL_SECONDS`.
QUICK = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)


def stream_writer(name: str, region: str | None, endpoint_url: str | None) -> StreamWriter:
    """An output stream, on a client of its own that puts quickly and gives up soon.

    Args:
        name: The stream's.
        region: Its AWS region; None leaves it to boto3's configuration files.
        endpoint_url: Endpoint of an emulator.

    Raises:
        SettingsError: There is no region, or the endpoint is no URL.
    """
    return StreamWriter(quicken(make_client("kinesis", region, QUICK, endpoint_url)), name)


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
