"""Kinesis streams of a template, and how many shards they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.values import whole_number

# "Choose the right mode to stream in" (Amazon Kinesis Data Streams Developer Guide): a new stream
# on demand takes 4 MB/s, and a shard 1 MB/s. Here it stays at that: nothing scales locally.
_SHARDS_ON_DEMAND = 4


@dataclass(frozen=True, slots=True)
class Stream:
    """A Kinesis stream.

    Attributes:
        name: Its physical name.
        shards: How many it has at its start.
    """

    name: str
    shards: int

    @classmethod
    def from_properties(cls, logical_id: str, name: str, properties: Mapping[str, Any]) -> Self:
        """Read StreamModeDetails and ShardCount, intrinsic functions resolved.

        Raises:
            TemplateError: The mode is unknown, or does not go with the shard count.
        """
        details = properties.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
        mode, shards = details.get("StreamMode"), properties.get("ShardCount")
        if mode not in ("PROVISIONED", "ON_DEMAND"):
            raise TemplateError(
                f"{logical_id}: StreamMode is {mode!r}; it must be PROVISIONED or ON_DEMAND"
            )
        if (mode == "PROVISIONED") != (shards is not None):
            raise TemplateError(
                f"{logical_id}: ShardCount is {shards!r} and StreamMode {mode}; "
                "a PROVISIONED stream must have a ShardCount, and no other may"
            )
        if mode == "ON_DEMAND":
            return cls(name, _SHARDS_ON_DEMAND)
        return cls(name, whole_number(f"{logical_id}: ShardCount", shards))
