"""AWS's S3 and Kinesis in this process, by moto."""

import logging
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from moto.core.responses import ActionResult
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.responses import KinesisResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from event_source_mapping.environment import REGION
from event_source_mapping.shards import page_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

HOST = "127.0.0.1"
# Empty files in place of ~/.aws: a setting there, such as `ignore_configured_endpoint_urls`, would
# lead clients to AWS in spite of all variables.
NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def leave_aws() -> None:
    """Forget this user's AWS account and proxy, so that nothing here can reach them by mistake."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(NO_AWS_FILES)


@dataclass(frozen=True)
class Endpoint:
    """A server of AWS's APIs.

    Attributes:
        endpoint: Its URL.
    """

    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that lead any AWS client here."""
        return {
            **NO_AWS_FILES,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["kinesis"]) -> "KinesisClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(
        self, service: Literal["dynamodb", "kinesis", "s3", "sqs"]
    ) -> "DynamoDBClient | KinesisClient | S3Client | SQSClient":
        """A boto3 client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - moto takes any
        )


class Emulator(Endpoint):
    """A server of AWS's APIs on the loopback interface, empty at the start.

    Args:
        port: Where to listen; 0 takes a free port.
    """

    def __init__(self, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        list_shards_as_aws()
        application = _OneAtATime(DomainDispatcherApplication(create_backend_app))
        self._server = make_server(HOST, port, application, threaded=True)
        # A daemon, because an interrupt can come before there is anybody to stop it.
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="emulator", daemon=True
        )
        super().__init__(f"http://{HOST}:{self._server.server_port}")

    def __enter__(self) -> Self:
        self._thread.start()
        # moto keeps its state in the process, not in the server.
        reset = urllib.request.Request(  # noqa: S310 - our own endpoint
            f"{self.endpoint}/moto-api/reset", method="POST"
        )
        past_proxies = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        past_proxies.open(reset).close()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _OneAtATime:
    """A WSGI application behind a lock: moto's streams do not bear two requests at once."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, *request: Any) -> Iterable[bytes]:
        with self._lock:
            return list(self._application(*request))


def is_free(port: int) -> bool:
    """Whether nothing listens on that port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def list_shards_as_aws() -> None:
    """Make ListShards of moto as strict as AWS's, for every server of this process.

    moto requires the stream's name on every page, and AWS refuses a name together with a token. A
    client that pages as moto requires fails on AWS at 1,000 shards.
    """
    KinesisResponse.list_shards = _list_shards  # type: ignore[method-assign]  # on purpose


def _list_shards(self: KinesisResponse) -> ActionResult:
    def shards_of(stream: str) -> Sequence[Any]:
        shards = self.kinesis_backend.describe_stream(None, stream).shards
        return [shards[shard_id] for shard_id in sorted(shards)]

    try:
        shards, token = page_of(
            shards_of,
            stream=self._get_param("StreamName"),
            token=self._get_param("NextToken"),
            max_results=self._get_param("MaxResults"),
        )
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    return ActionResult({"Shards": [shard.to_json() for shard in shards], "NextToken": token})
