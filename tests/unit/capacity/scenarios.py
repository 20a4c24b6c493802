"""Scenarios for tests, with the project's own prices unless a test changes some."""

from typing import Any

from hypothesis import strategies as st

from capacity.prices import PRICES as PRICES_FILE
from capacity.prices import Prices, read
from capacity.scenario import Mode, Scenario

PRICES = read()


def scenario(rides_per_second: float = 1000, **settings: Any) -> Scenario:
    """Return a scenario that fills shards completely, so that figures are round."""
    return Scenario(**{"rides_per_second": rides_per_second, "fill": 1.0, **settings})


def priced(**changes: float) -> Prices:
    """Return the prices with figures replaced, such as `kinesis__shard_hour=1`."""
    return read(PRICES_FILE, {name.replace("__", "."): value for name, value in changes.items()})


SCENARIOS = st.builds(
    scenario,
    st.floats(0.001, 1e7),
    mode=st.sampled_from(list(Mode)),
    predictors=st.integers(1, 12),
    decisions=st.booleans(),
    batch_size=st.integers(1, 10_000),
    window_seconds=st.floats(0, 300),
    parallelization=st.integers(1, 10),
    memory_mb=st.integers(128, 10_240),
    rides_per_record=st.integers(1, 1000),
    aggregate_predictions=st.booleans(),
    output_consumers=st.integers(0, 20),
    fan_out=st.booleans(),
    retention_hours=st.integers(24, 8760),
    fill=st.floats(0.1, 1),
    peak_factor=st.floats(1, 100),
)
