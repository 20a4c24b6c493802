"""Figures of one shard at 100 %, so that a reader can check them without a computer."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.flows import Flow, ride_flow
from capacity.plan import Plan, gathered, payload_records, plan
from capacity.scenario import Mode, Scenario
from event_source_mapping.lambda_records import Record, head
from tests.kpl import aggregate
from tests.unit.capacity.scenarios import PRICES, SCENARIOS, priced, scenario


def needs(rides_per_second: float = 1000, **settings: Any) -> Plan:
    return plan(scenario(rides_per_second, **settings), PRICES)


@pytest.mark.parametrize(
    ("rate", "ride_bytes", "settings", "shards"),
    [
        pytest.param(1000, 86, {}, 1, id="records"),
        pytest.param(1001, 86, {}, 2, id="more records"),
        pytest.param(500, 1994, {}, 1, id="bytes with keys"),
        pytest.param(500, 1995, {}, 2, id="more bytes"),
        pytest.param(1000, 994, {"predictors": 3}, 2, id="shared reads"),
        pytest.param(1000, 994, {"predictors": 3, "fan_out": True}, 1, id="enhanced fan-out"),
        pytest.param(1000, 86, {"peak_factor": 2, "fill": 0.5}, 4, id="peak and fill"),
        pytest.param(10, 86, {"mode": Mode.ON_DEMAND}, 4, id="on demand, at least four"),
        pytest.param(5000, 86, {"mode": Mode.ON_DEMAND}, 10, id="on demand, twice the need"),
    ],
)
def test_shards_follow_the_limit_that_is_reached_first(
    rate: float, ride_bytes: float, settings: dict[str, Any], shards: int
) -> None:
    """A shard takes 1,000 records or 1 MB a second, and gives 2 MB a second to all consumers."""
    prices = priced(predictions__ride_bytes=ride_bytes)

    assert plan(scenario(rate, **settings), prices).streams[0].shards == shards


def test_aggregated_record_holds_no_more_rides_than_arrive_while_it_fills() -> None:
    """At 50 rides a second, five arrive in the 0.1 seconds that a producer waits."""
    assert ride_flow(scenario(50, rides_per_record=100), PRICES).events == 5
    assert ride_flow(scenario(5, rides_per_record=100), PRICES).events == 1
    assert ride_flow(scenario(5000, rides_per_record=100), PRICES).events == 100


@given(st.integers(2, 600), st.integers(1, 5000))
def test_size_of_an_aggregated_record_is_that_of_the_kpl(rides: int, size: int) -> None:
    """The size matches what protocol buffers encode, to 10 bytes a ride."""
    made = len(aggregate([(f"{100_000 + n}", b"x" * size) for n in range(rides)]))
    asked = scenario(10 * rides, rides_per_record=rides)
    counted = ride_flow(asked, priced(predictions__ride_bytes=size)).data_bytes

    assert counted - 10 * rides <= made
    assert made <= counted + 8 * rides  # tests.kpl adds a hash key and a tag to every other ride


def test_window_collects_the_records_that_arrive_in_it() -> None:
    """Rare records make batches of one, because a window without records makes no batch."""
    assert gathered(100, 2) == 200
    assert gathered(1e-9, 1) == pytest.approx(1)
    assert gathered(2, 1) == pytest.approx(2.313, abs=0.001)
    assert needs(100, window_seconds=0).batch.records == pytest.approx(100)  # polls every second
    assert needs(window_seconds=300).batch.records == 1000  # the batch size


@pytest.mark.parametrize("size", [300, 5_000, 100_000])
def test_batch_holds_as_many_records_as_the_event_source_mapping_fits_into_a_payload(
    size: int,
) -> None:
    """The formula for the payload agrees with the mapping to a record."""
    records = [Record(str(n), "100000", b"x" * size, 0) for n in range(9000)]

    assert payload_records(Flow(1, 1, size, 6), PRICES) == len(head(records, 10_000))


def test_put_records_call_holds_500_entries_and_5_megabytes() -> None:
    """A batch of 1,000 predictions takes two calls, and eleven if each has 50 kB."""
    large = plan(scenario(), priced(predictions__prediction_bytes=50_000))

    assert (needs().batch.calls, large.batch.calls) == (2, 11)


def test_duration_is_time_of_a_core_and_waiting() -> None:
    """With half of 1,769 MB, work takes twice as long but waiting does not."""
    prices = priced(
        predictions__ride_us=10,
        predictions__entry_us=10,
        predictions__invocation_ms=5,
        predictions__put_ms=20,
    )
    full, half = (plan(scenario(memory_mb=mb), prices).batch for mb in (1769, 1769 // 2))

    assert full.seconds == pytest.approx(0.065)
    assert half.seconds == pytest.approx(0.090, rel=0.01)


@given(SCENARIOS)
def test_every_ride_is_predicted_once_by_each_predictor(asked: Scenario) -> None:
    """Rides in, rides of all invocations and predictions out agree at any rate and setting."""
    needed = plan(asked, PRICES)
    predictor, (rides, output, *_) = needed.functions[0], needed.streams
    predictions = asked.rides_per_second * asked.predictors

    assert rides.flow.records * rides.flow.events == pytest.approx(asked.rides_per_second)
    assert predictor.invocations * needed.batch.rides == pytest.approx(predictions)
    assert output.flow.records * output.flow.events == pytest.approx(predictions)


@given(SCENARIOS)
def test_no_plan_exceeds_the_limits_of_shards_batches_and_calls(asked: Scenario) -> None:
    """At the peak, every stream stays within what AWS accepts."""
    needed, limits = plan(asked, PRICES), PRICES.limits
    for stream in needed.streams:
        room = stream.shards * (1 + 1e-6) / asked.peak_factor
        readers = 1 if asked.fan_out else stream.consumers
        assert stream.flow.records <= limits.shard_records * room
        assert stream.flow.bytes <= limits.shard_bytes * room
        assert stream.flow.bytes * readers <= limits.shard_read_bytes * room
    assert needed.batch.records <= asked.batch_size
    assert needed.batch.puts.records <= needed.batch.calls * 500 * (1 + 1e-6)


@given(SCENARIOS, st.floats(1, 100))
def test_more_rides_never_need_fewer_input_shards(asked: Scenario, factor: float) -> None:
    """Without aggregation, the shards of rides only grow with the rate."""
    asked = replace(asked, rides_per_record=1)
    more = replace(asked, rides_per_second=asked.rides_per_second * factor)
    few, many = (plan(each, PRICES).streams[0].shards for each in (asked, more))

    assert many >= few
