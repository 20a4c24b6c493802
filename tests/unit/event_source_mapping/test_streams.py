from typing import Any

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.stream_resources import Stream

ON_DEMAND = {"StreamMode": "ON_DEMAND"}
PROVISIONED = {"StreamMode": "PROVISIONED"}


@pytest.mark.parametrize(
    ("properties", "shards"),
    [
        ({"ShardCount": 2}, 2),
        ({"ShardCount": "3", "StreamModeDetails": PROVISIONED}, 3),
        ({"StreamModeDetails": ON_DEMAND}, 4),
    ],
)
def test_stream_has_the_shards_that_its_mode_starts_with(properties: Any, shards: int) -> None:
    """A provisioned stream has as many shards as it says, and one on demand starts with four."""
    assert Stream.from_properties("In", "rides", properties) == Stream("rides", shards)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "In: ShardCount is None and StreamMode PROVISIONED; .* must have a ShardCount"),
        ({"StreamModeDetails": PROVISIONED}, "must have a ShardCount"),
        ({"ShardCount": 2, "StreamModeDetails": ON_DEMAND}, "ON_DEMAND; .* no other may"),
        ({"StreamModeDetails": {"StreamMode": "FREE"}}, "In: StreamMode is 'FREE'; it must be"),
        ({"StreamModeDetails": {}}, "In: StreamMode is None; it must be"),
        ({"ShardCount": "1.5"}, "In: ShardCount is '1.5'; it must be a whole number"),
    ],
)
def test_stream_whose_shards_cannot_be_told_is_refused(properties: Any, message: str) -> None:
    """No number of shards is guessed."""
    with pytest.raises(TemplateError, match=message):
        Stream.from_properties("In", "rides", properties)
