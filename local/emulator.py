"""AWS's S3 and Kinesis in this process, by moto."""

import logging
import socket
import urllib.request
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

HOST = "127.0.0.1"
REGION = "us-east-1"


class Emulator:
    """A server of AWS's APIs on the loopback interface, empty at the start.

    Args:
        port: Where to listen; 0 takes a free port.

    Attributes:
        endpoint: Its URL.
    """

    def __init__(self, port: int = 0) -> None:
        self._server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
        self.endpoint = ""

    def __enter__(self) -> Self:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        # moto keeps its state in the process, not in the server.
        reset = urllib.request.Request(  # noqa: S310 - our own endpoint
            f"{self.endpoint}/moto-api/reset", method="POST"
        )
        urllib.request.urlopen(reset).close()  # noqa: S310 - our own endpoint
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that lead any AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of one service."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - moto takes any
        )


def is_free(port: int) -> bool:
    """Whether nothing listens on that port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0
