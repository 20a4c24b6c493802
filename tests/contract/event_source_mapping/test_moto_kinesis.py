"""moto's ListShards, made as strict as AWS's, behind boto3's own client."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from event_source_mapping.emulator import Emulator
from event_source_mapping.shards import shards_of

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

STREAM = "rides"


def kinesis_with(aws: Emulator, shards: int) -> "KinesisClient":
    client = aws.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=shards)
    return client


def test_pages_follow_each_other_by_their_token_alone(aws: Emulator) -> None:
    """As on AWS, the token stands for the stream, and no shard is left out or repeated."""
    kinesis = kinesis_with(aws, 5)

    first = kinesis.list_shards(StreamName=STREAM, MaxResults=2)
    second = kinesis.list_shards(NextToken=first["NextToken"], MaxResults=2)
    third = kinesis.list_shards(NextToken=second["NextToken"])

    found = [s["ShardId"] for page in (first, second, third) for s in page["Shards"]]
    assert found == [f"shardId-{place:012d}" for place in range(5)]
    assert "NextToken" not in third


def test_paginator_of_boto3_is_refused_on_its_second_page(aws: Emulator) -> None:
    """A client that works here works on AWS: boto3's paginator repeats the name, and fails."""
    pages = (
        kinesis_with(aws, 3)
        .get_paginator("list_shards")
        .paginate(StreamName=STREAM, PaginationConfig={"PageSize": 2})
    )

    with pytest.raises(ClientError, match="NextToken and StreamName cannot be provided together"):
        list(pages)


def test_more_than_a_thousand_shards_are_all_listed(aws: Emulator) -> None:
    """A page has at most 1,000 shards, as on AWS, and the helper reads every page."""
    kinesis = kinesis_with(aws, 1001)

    assert len(kinesis.list_shards(StreamName=STREAM)["Shards"]) == 1000
    assert len(shards_of(kinesis, STREAM)) == 1001
