"""Readings go in, alarms come out, and a bad reading is kept and holds nothing up."""

# ruff: noqa: S101 - a test asserts
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from event_source_mapping.pytest_plugin import StartStack

pytest_plugins = ["event_source_mapping.pytest_plugin"]

TEMPLATE = Path(__file__).with_name("template.yaml")


@pytest.mark.parametrize("in_memory", [True, False])
def test_hot_readings_are_alarms_and_bad_ones_are_kept(
    local_stack: "StartStack", in_memory: bool
) -> None:
    """Each hot reading is one alarm, in order, and the bad one alone is in the bucket."""
    stack = local_stack(TEMPLATE, {"LimitCelsius": "25"}, in_memory=in_memory)

    readings = [b'{"sensor": "roof", "celsius": %d}' % celsius for celsius in (20, 31, 26)]
    numbers = stack.put("readings", *readings[:2], b"no reading", readings[2], key="roof")

    alarms = stack.wait_for_records("alarms", 2)
    (kept,) = stack.wait_for_objects("local-failures", 1)
    assert [json.loads(alarm)["celsius"] for alarm in alarms] == [31, 26]
    batch = json.loads(kept)["KinesisBatchInfo"]
    assert (batch["startSequenceNumber"], batch["batchSize"]) == (numbers[2], 1)
