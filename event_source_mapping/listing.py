"""Pages of ListShards, with AWS's rules for both local versions of Kinesis.

Source: "ListShards" (Amazon Kinesis Data Streams API Reference).
"""

from collections.abc import Callable, Sequence

MAX_SHARDS_A_PAGE = 1000


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
