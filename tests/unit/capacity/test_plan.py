"""What a scenario needs; figures of one shard at 100 %, so that they can be checked in the head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.batch_sizes import event_bytes, gathered, most_records
from capacity.plan import plan
from capacity.scenario import Mode, Scenario
from capacity.streams import Flow, input_flow, packed_bytes
from event_source_mapping.lambda_records import MAX_EVENT_BYTES, Record, head
from tests.kpl import aggregate
from tests.unit.capacity.scenarios import PRICES, SCENARIOS, priced, scenario


def test_shards_of_small_records_follow_their_number() -> None:
    """1,000 records a second fill a shard, however small they are."""
    assert plan(scenario(1000), PRICES).input_shards == 1
    assert plan(scenario(1001), PRICES).input_shards == 2


def test_shards_of_large_records_follow_their_bytes() -> None:
    """1 MB a second fills a shard, partition keys included."""
    large = scenario(500, ride_bytes=1990, key_bytes=10)

    assert plan(large, PRICES).input_shards == 1
    assert plan(scenario(500, ride_bytes=1991, key_bytes=10), PRICES).input_shards == 2


def test_shards_of_many_consumers_follow_what_they_read() -> None:
    """Consumers share 2 MB a second; with fan-out each has its own."""
    thrice = scenario(1000, ride_bytes=990, key_bytes=10, predictors=3)

    assert plan(thrice, PRICES).input_shards == 2
    assert (
        plan(scenario(1000, ride_bytes=990, predictors=3, fan_out=True), PRICES).input_shards == 1
    )


def test_shards_leave_room_for_the_peak_and_for_keys_that_do_not_spread() -> None:
    """A peak of twice the mean, at half of a shard's limits, needs four times the shards."""
    assert plan(scenario(1000, peak_factor=2, fill=0.5), PRICES).input_shards == 4


def test_shards_on_demand_are_four_or_twice_the_need() -> None:
    """A new stream has four; later, AWS keeps room for twice the peak."""
    assert plan(scenario(10, mode=Mode.ON_DEMAND), PRICES).input_shards == 4
    assert plan(scenario(5000, mode=Mode.ON_DEMAND), PRICES).input_shards == 10


def test_every_predictor_reads_all_rides_and_puts_its_own_predictions() -> None:
    """Two predictors are twice the invocations, and twice the output."""
    one, two = (plan(scenario(1000, predictors=n), PRICES) for n in (1, 2))

    assert two.invocations == 2 * one.invocations
    assert two.output.records == 2 * one.output.records
    assert two.input == one.input


def test_window_gathers_what_comes_from_one_to_the_next() -> None:
    """Windows, or polls where those are rarer; a window without records makes no batch."""
    assert gathered(100, 2, 1) == 200
    assert gathered(100, 0, 1) == 100
    assert gathered(1e-9, 0, 1) == pytest.approx(1)
    assert gathered(2, 1, 1) == pytest.approx(2.313, abs=0.001)


def test_batch_is_at_most_the_batch_size() -> None:
    """However long the window is."""
    assert plan(scenario(1000, window_seconds=300), PRICES).batch.records == 1000


def test_batch_is_at_most_what_the_payload_holds() -> None:
    """Records of 100 kB fill 6 MB with 46."""
    large = plan(scenario(1000, ride_bytes=100_000, window_seconds=300), PRICES)

    assert large.batch.records == 46


@given(st.integers(0, 10_000), st.text(st.characters(codec="ascii"), min_size=1, max_size=256))
def test_event_bytes_are_those_of_the_local_mapping(size: int, key: str) -> None:
    """The model fills a payload as the simulation does."""
    flow = Flow(1, 1, size, len(key))
    record = Record("1", key, b"x" * size, 0)

    assert event_bytes(flow, PRICES.functions) == record.event_size
    assert PRICES.functions.payload_bytes == MAX_EVENT_BYTES


@pytest.mark.parametrize("size", [300, 5_000, 100_000])
def test_most_records_are_those_that_the_local_mapping_takes(size: int) -> None:
    """Not one more, and not one fewer."""
    records = [Record(str(n), "100000", b"x" * size, 0) for n in range(9000)]

    assert most_records(Flow(1, 1, size, 6), PRICES.functions) == len(head(records, 10_000))


@given(st.integers(2, 600), st.integers(1, 5000))
def test_aggregated_record_is_hardly_smaller_than_counted(events: int, size: int) -> None:
    """It is what protocol buffers make of it, or up to 10 bytes an event more."""
    made = len(aggregate([(f"{100_000 + n}", b"x" * size) for n in range(events)]))
    counted = packed_bytes(events, size, scenario(), PRICES.aggregation)

    assert made <= counted + 8 * events  # tests.kpl adds a hash key and a tag to every other event
    assert counted - 10 * events <= made


def test_aggregation_of_rides_waits_no_longer_than_a_producer_does() -> None:
    """At 50 rides a second, 100 do not come in a tenth of a second: 5 do."""
    assert input_flow(scenario(50, rides_per_record=100), PRICES).events == 5
    assert input_flow(scenario(5, rides_per_record=100), PRICES).events == 1
    assert input_flow(scenario(5000, rides_per_record=100), PRICES).events == 100


def test_calls_have_at_most_500_entries_and_5_megabytes() -> None:
    """Both limits of the sink make calls."""
    small = plan(scenario(1000), PRICES).batch
    large = plan(scenario(1000, prediction_bytes=50_000), PRICES).batch

    assert small.calls == 2
    assert large.calls == 11


def test_duration_is_time_of_a_core_and_waiting() -> None:
    """Under 1,769 MB there is a part of a core, so work takes longer; waiting does not."""
    times = {"ride_us": 10, "entry_us": 10, "invocation_ms": 5, "put_ms": 20}
    full = plan(scenario(1000, memory_mb=1769, **times), PRICES).batch
    half = plan(scenario(1000, memory_mb=1769 // 2, **times), PRICES).batch

    assert full.seconds == pytest.approx(0.065)
    assert half.seconds == pytest.approx(0.090, rel=0.01)


@given(SCENARIOS)
def test_what_goes_in_comes_out(asked: Scenario) -> None:
    """Every predictor is invoked with each ride once, and puts each prediction once."""
    needed = plan(asked, PRICES)
    rides = asked.rides_per_second * asked.predictors

    assert needed.invocations * needed.batch.rides == pytest.approx(rides)
    assert needed.output.records * needed.output.events == pytest.approx(rides)
    assert needed.input.records * needed.input.events == pytest.approx(asked.rides_per_second)


@given(SCENARIOS)
def test_limits_hold_of_every_plan(asked: Scenario) -> None:
    """No shard, batch or call is over what AWS takes."""
    needed, limits = plan(asked, PRICES), PRICES.kinesis
    for flow, shards in (
        (needed.input, needed.input_shards),
        (needed.output, needed.output_shards),
    ):
        room = shards * (1 + 1e-6) / asked.peak_factor
        assert flow.records <= limits.shard_records * room
        assert flow.bytes <= limits.shard_bytes * room
    assert needed.batch.records <= asked.batch_size
    assert needed.batch.puts.records <= needed.batch.calls * limits.call_entries * (1 + 1e-6)


@given(SCENARIOS, st.floats(1, 100))
def test_more_rides_never_need_fewer_shards(asked: Scenario, times: float) -> None:
    """Of the input, whose records are the rides; the output's depend on how batches fill."""
    more = plan(scenario_at(asked, asked.rides_per_second * times), PRICES)

    if asked.rides_per_record == 1:
        assert more.input_shards >= plan(asked, PRICES).input_shards


def scenario_at(asked: Scenario, rate: float) -> Scenario:
    changes = {name: getattr(asked, name) for name in Scenario.__slots__}
    return scenario(**{**changes, "rides_per_second": rate})


def test_prices_decide_nothing_of_a_plan_but_limits_do() -> None:
    """A limit that a user edits changes the plan."""
    assert plan(scenario(1000), priced("kinesis", shard_records=500)).input_shards == 2
