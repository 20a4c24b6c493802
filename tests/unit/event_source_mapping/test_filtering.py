"""The mapping with filter criteria."""

import json

from event_source_mapping.filters import FilterCriteria
from event_source_mapping.memory_kinesis import MemoryKinesis
from tests.kpl import aggregate
from tests.mapping import FakeFunction, poll_to, polling, put
from tests.polling import until


def test_mapping_passes_over_what_no_filter_takes(kinesis: MemoryKinesis) -> None:
    """The function gets what a filter takes, and the checkpoint moves past the rest."""
    rides = [json.dumps({"miles": miles}).encode() for miles in range(10)]
    *_, last = put(kinesis, *rides, b"not JSON")
    pattern = json.dumps({"data": {"miles": [{"numeric": [">", 4, "<", 7]}]}})
    criteria = FilterCriteria.from_property("Rides", {"Filters": [{"Pattern": pattern}]})
    function = FakeFunction()

    poll_to(last, kinesis, function, filters=criteria)

    assert function.seen == [rides[5], rides[6]]


def test_mapping_passes_over_aggregates_whatever_is_in_them(kinesis: MemoryKinesis) -> None:
    """The page: filtering aggregated records "with standard Kinesis isn't supported"."""
    ride = json.dumps({"miles": 5}).encode()
    *_, last = put(kinesis, ride, aggregate([("key", ride)]))
    pattern = json.dumps({"data": {"miles": [5]}})
    criteria = FilterCriteria.from_property("Rides", {"Filters": [{"Pattern": pattern}]})
    function = FakeFunction()

    poll_to(last, kinesis, function, filters=criteria)

    assert function.seen == [ride]


def test_mapping_counts_only_what_a_filter_takes(kinesis: MemoryKinesis) -> None:
    """A batch is full with records that a filter takes, however many lie between them."""
    rides = [json.dumps({"miles": miles % 5}).encode() for miles in range(50)]
    put(kinesis, *rides)
    pattern = json.dumps({"data": {"miles": [0]}})
    criteria = FilterCriteria.from_property("Rides", {"Filters": [{"Pattern": pattern}]})
    function = FakeFunction()

    with polling(kinesis, function, filters=criteria, batch_size=5, batching_window_seconds=300):
        until(lambda: len(function.seen) == 10)

    assert [len(batch) for batch in function.batches] == [5, 5]
