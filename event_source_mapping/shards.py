"""ListShards: how to ask for every shard, and what AWS answers, page by page.

Source: "ListShards" (Amazon Kinesis Data Streams API Reference).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from event_source_mapping.clients import StreamClient

MAX_SHARDS_A_PAGE = 1000


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


def page_of[Shard](
    shards_of: Callable[[str], Sequence[Shard]],
    *,
    stream: str | None,
    token: str | None,
    max_results: int | None,
) -> tuple[Sequence[Shard], str | None]:
    """Return one page of shards, and the token of the next page if there is one.

    Args:
        shards_of: Returns all shards of a stream, in a fixed order.
        stream: Name of the stream, for the first page.
        token: The token that the last page came with, for every other page.
        max_results: Most shards of the page; AWS returns at most 1,000.

    Raises:
        ValueError: Both a name and a token are given, or neither is.
    """
    if token and stream:
        raise ValueError("NextToken and StreamName cannot be provided together.")
    if not (token or stream):
        raise ValueError("Either NextToken or StreamName should be provided.")
    name, _, start = (token or f"{stream}/0").partition("/")
    shards, first = shards_of(name), int(start)
    end = first + min(max_results or MAX_SHARDS_A_PAGE, MAX_SHARDS_A_PAGE)
    return shards[first:end], f"{name}/{end}" if end < len(shards) else None
