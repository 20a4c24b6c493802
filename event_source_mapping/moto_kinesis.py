"""Makes moto's ListShards as strict as AWS's.

moto requires the stream's name on every page, and AWS refuses a name together with a token. A
client that pages as moto requires fails on AWS at 1,000 shards.
"""

from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.responses import KinesisResponse

from event_source_mapping.listing import page_of


def list_shards_as_aws() -> None:
    """Replace ListShards in moto, for every server of this process."""
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
