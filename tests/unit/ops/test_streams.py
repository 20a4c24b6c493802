from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.streams import MAX_THROTTLED, THROTTLED_SECONDS, pages


class BusyShard:
    """A shard that refuses some reads, and has one record."""

    def __init__(self, refusals: int, code: str = "ProvisionedThroughputExceededException") -> None:
        self.refusals = refusals
        self.code = code
        self.requests: list[dict[str, Any]] = []

    def get_shard_iterator(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"ShardIterator": "one"}

    def get_records(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.refusals:
            self.refusals -= 1
            raise ClientError({"Error": {"Code": self.code}}, "GetRecords")
        return {"Records": [{"Data": b"1"}], "MillisBehindLatest": 0}


def read(shard: BusyShard) -> tuple[list[Any], list[float]]:
    waits: list[float] = []
    found = list(pages(shard, "rides", "shard", pause=waits.append, limit=7))
    return [record["Data"] for page in found for record in page], waits


def test_throttled_reader_waits_and_reads_on() -> None:
    """Others, the function among them, read the shard, too."""
    assert read(BusyShard(3)) == ([b"1"], [THROTTLED_SECONDS] * 3)


def test_reader_that_is_throttled_for_long_gives_up() -> None:
    """After half a minute the error is told."""
    with pytest.raises(ClientError):
        read(BusyShard(MAX_THROTTLED + 1))


def test_other_errors_are_told_at_once() -> None:
    """Only throttling passes by itself."""
    shard = BusyShard(1, "AccessDeniedException")

    with pytest.raises(ClientError):
        read(shard)
    assert len(shard.requests) == 2


def test_pages_have_at_most_what_is_asked_for() -> None:
    """The limit goes with each call."""
    shard = BusyShard(0)
    read(shard)

    assert shard.requests[-1] == {"ShardIterator": "one", "Limit": 7}
