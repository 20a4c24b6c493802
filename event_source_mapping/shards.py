"""Lists the shards of a stream, however many there are."""

from collections.abc import Mapping
from typing import Any

from event_source_mapping.clients import StreamClient


def shards_of(kinesis: StreamClient, stream: str) -> list[Mapping[str, Any]]:
    """Return the description of every shard of a stream, closed shards included.

    boto3's paginator fails on more than 1,000 shards: it repeats the stream's name on every page,
    which Kinesis refuses (boto/botocore#2009). All pages are read at once, because a token expires
    after 300 seconds.

    Args:
        kinesis: boto3's Kinesis client.
        stream: Name of the stream.
    """
    answer = kinesis.list_shards(StreamName=stream)
    shards = list(answer["Shards"])
    while token := answer.get("NextToken"):
        answer = kinesis.list_shards(NextToken=token)
        shards += answer["Shards"]
    return shards
