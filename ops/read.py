"""`make read`: prints what a stream keeps, a line each, the oldest of a shard first.

Aggregated records are taken apart; what only begins like one is printed as it is.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cli.aws_answers import checked, told
from cli.terminal import leave_stdout, say
from streams.aggregation import payloads
from streams.shard_reader import StreamReader, pages, shards_of

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient


STREAM = "ride_predictions"


def records(
    kinesis: StreamReader, stream: str, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """The data of every user record that a stream keeps now, shard by shard.

    Args:
        kinesis: boto3's Kinesis client.
        stream: Name of the stream.
        pause: Waits for some seconds.
    """
    for shard in shards_of(kinesis, stream):
        for page in pages(kinesis, stream, shard["ShardId"], pause=pause):
            for record in page:
                yield from _payloads(record["Data"])


def _payloads(data: bytes) -> list[bytes]:
    try:
        return payloads(data)
    except ValueError:
        return [data]


def main(
    arguments: Sequence[str],
    connect: "Callable[[Literal['kinesis']], KinesisClient]" = boto3.client,
) -> int:
    """Print a stream; answer with the exit status."""
    stream = (arguments[0] if arguments else "") or STREAM
    try:
        return _print(connect("kinesis"), stream)
    except BrokenPipeError:
        leave_stdout()
    except KeyboardInterrupt:
        return 130
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        say(f"the stream {stream!r} cannot be read: {told(error, 'STREAM, ')}")
        return 1
    return 0


def _print(kinesis: "KinesisClient", stream: str) -> int:
    try:
        for data in records(kinesis, stream):
            sys.stdout.buffer.write(data + b"\n")
        sys.stdout.flush()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        say(f"there is no stream {stream!r}; {_streams(kinesis)}")
        return 1
    return 0


def _streams(kinesis: "KinesisClient") -> str:
    pages = kinesis.get_paginator("list_streams").paginate()
    names = [name for page in pages for name in page["StreamNames"]]
    where = f"in {kinesis.meta.region_name} at {kinesis.meta.endpoint_url}"
    if not names:
        return f"there are none {where}: 'source .local/env', or check AWS_DEFAULT_REGION"
    return f"STREAM must be one of those {where}: {', '.join(names)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lambda _: checked(boto3.client("kinesis"))))
