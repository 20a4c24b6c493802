"""Scenarios for tests, with the project's own prices unless one says otherwise."""

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import strategies as st

from capacity.prices import Prices, read
from capacity.scenario import Mode, Scenario

PRICES = read().prices


def scenario(rides_per_second: float = 1000, **changes: Any) -> Scenario:
    """At 100 % of a shard, so that figures are round."""
    defaults = msgspec.structs.asdict(PRICES.defaults) | {"fill": 1.0}
    return replace(Scenario(rides_per_second=rides_per_second, **defaults), **changes)


def priced(section: str, **changes: Any) -> Prices:
    """The prices, but for some of a section."""
    part = msgspec.structs.replace(getattr(PRICES, section), **changes)
    return msgspec.structs.replace(PRICES, **{section: part})


SCENARIOS = st.builds(
    scenario,
    st.floats(0.001, 1e7),
    mode=st.sampled_from(list(Mode)),
    predictors=st.integers(1, 12),
    decides=st.booleans(),
    batch_size=st.integers(1, 10_000),
    window_seconds=st.floats(0, 300),
    parallelization=st.integers(1, 10),
    memory_mb=st.integers(128, 10_240),
    rides_per_record=st.integers(1, 1000),
    aggregate_predictions=st.booleans(),
    output_consumers=st.integers(0, 20),
    fill=st.floats(0.1, 1),
    peak_factor=st.floats(1, 100),
)
