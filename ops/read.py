"""`make read`: prints the records that a stream keeps, a line each, the oldest of a shard first."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

STREAM = "ride_predictions"
# API reference, GetRecords: at most five calls a second and shard.
PAUSE_SECONDS = 0.2


def records(
    kinesis: Any, stream: str, *, pause: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """The data of every record that a stream keeps now, shard by shard.

    Args:
        kinesis: boto3's Kinesis client.
        stream: Name of the stream.
        pause: Waits for some seconds.
    """
    for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream):
        for shard in page["Shards"]:
            yield from _shard(kinesis, stream, shard["ShardId"], pause)


def _shard(
    kinesis: Any, stream: str, shard_id: str, pause: Callable[[float], None]
) -> Iterator[bytes]:
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    # An answer without records is no end: a shard can have stretches without any. A closed shard
    # ends with no iterator, an open one with nothing behind.
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            yield record["Data"]
        iterator = answer.get("NextShardIterator") if answer["MillisBehindLatest"] else None
        if iterator:
            pause(PAUSE_SECONDS)


def main(arguments: Sequence[str], connect: Callable[[str], Any] = boto3.client) -> int:
    """Print a stream; answer with the exit status."""
    stream = (arguments[0] if arguments else "") or STREAM
    try:
        for data in records(connect("kinesis"), stream):
            sys.stdout.buffer.write(data + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        line = " ".join(f"the stream {stream!r} cannot be read: {error}".split())
        print(line, file=sys.stderr)  # noqa: T201 - the command's output
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
