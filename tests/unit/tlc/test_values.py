"""Columns of trip files as arrays."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.trip_values import ride_minutes

units = st.sampled_from(["s", "ms", "us", "ns"])
ticks = st.integers(-(2**63), 2**63 - 1)
times = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))


@given(times, times, st.sampled_from(["us", "ns"]), st.sampled_from(["us", "ns"]))
def test_ride_minutes_of_real_times_are_exact_to_the_microsecond(
    pickup: datetime, dropoff: datetime, pickup_unit: str, dropoff_unit: str
) -> None:
    """Minutes are those between the two times, also where the columns differ in their unit."""
    took = ride_minutes(
        pa.array([pickup], pa.timestamp(pickup_unit)),
        pa.array([dropoff], pa.timestamp(dropoff_unit)),
    )

    expected = (dropoff - pickup).total_seconds() / 60
    assert took[0] == pytest.approx(expected, rel=1e-15, abs=1e-8)


@given(ticks, ticks, units, units)
def test_ride_minutes_never_overflow(
    pickup: int, dropoff: int, pickup_unit: str, dropoff_unit: str
) -> None:
    """Any two ticks of any units give a finite number of minutes."""
    took = ride_minutes(
        pa.array([pickup], pa.timestamp(pickup_unit)),
        pa.array([dropoff], pa.timestamp(dropoff_unit)),
    )

    assert np.isfinite(took).all()
