"""The mapping with filter criteria."""

import json

from local.filters import FilterCriteria
from local.memory import MemoryKinesis
from tests.mapping import FakeFunction, polling, put
from tests.polling import until


def test_mapping_passes_over_what_no_filter_takes(kinesis: MemoryKinesis) -> None:
    """The function gets what a filter takes, and the checkpoint moves past the rest."""
    rides = [json.dumps({"miles": miles}).encode() for miles in range(10)]
    *_, last = put(kinesis, *rides, b"not JSON")
    pattern = json.dumps({"data": {"miles": [{"numeric": [">", 4, "<", 7]}]}})
    criteria = FilterCriteria.from_property("Rides", {"Filters": [{"Pattern": pattern}]})
    function = FakeFunction()

    with polling(kinesis, function, filters=criteria) as checkpoints:
        until(lambda: last in checkpoints.values())

    assert function.seen == [rides[5], rides[6]]
