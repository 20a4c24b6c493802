"""Samples of the same rounds, and what is made of them."""

import pytest

from benchmarks.results import Puts, Way
from benchmarks.speeds import speeds
from benchmarks.worker import Sample


def sample(microseconds: float, *, rides: int = 1000, event: int = 100) -> Sample:
    return Sample(rides, microseconds * rides / 1e6, event, 90.0)


def test_speeds_compare_each_way_with_reference_and_floor() -> None:
    """Ratios are by the round: how often the reference's time, how often the floor's."""
    taken = {
        Way.REFERENCE: [sample(600.0), sample(900.0)],
        Way.PRODUCT: [sample(3.0), sample(4.5)],
        Way.FLOOR: [sample(1.5), sample(2.25)],
    }

    rows = {row.way: row for row in speeds("linear", Puts.NONE, 100, taken)}

    assert rows.keys() == taken.keys()
    product = rows[Way.PRODUCT]
    assert product.times_faster.median == pytest.approx(200)
    assert product.times_floor is not None
    assert product.times_floor.median == pytest.approx(2)
    assert product.microseconds.median == pytest.approx(3.75)
    assert rows[Way.REFERENCE].times_faster.median == pytest.approx(1)


def test_speeds_say_how_much_was_timed() -> None:
    """All rides of all rounds count, and the largest event shows whether a batch was cut."""
    taken = {Way.REFERENCE: [sample(600.0, rides=40, event=20), sample(600.0, rides=60, event=20)]}

    (row,) = speeds("linear", Puts.INSTANT, 100, taken)

    assert (row.rides_timed, row.largest_event, row.times_floor) == (100, 20, None)
