"""Samples of the same rounds, and what they say about a way."""

import pytest

from benchmarks.results import Puts, Spread, Way, ratio
from benchmarks.speeds import speeds


def test_spread_is_the_median_and_the_quartiles() -> None:
    """Of five samples in any order, the second, third and fourth smallest count."""
    assert Spread.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(3.0, 2.0, 4.0)


def test_spread_of_one_sample_is_that_sample() -> None:
    """A quick run starts each process once."""
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_ratio_cancels_what_slows_both_halves_of_a_round() -> None:
    """Ratios are taken within each round, so a slow machine leaves no spread."""
    assert ratio([3.0, 30.0, 6.0], [1.0, 10.0, 2.0]) == Spread(3.0, 3.0, 3.0)


def test_ratio_of_unequal_rounds_is_refused() -> None:
    """A round in which one of the two is missing is an error."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_speeds_compare_each_way_with_reference_and_floor() -> None:
    """The reference's time is divided by the way's, and the way's by the floor's."""
    taken = {
        Way.REFERENCE: [600.0, 900.0],
        Way.PRODUCT: [3.0, 4.5],
        Way.FLOOR: [1.5, 2.25],
    }

    rows = {row.way: row for row in speeds("linear", Puts.NONE, 100, taken)}

    assert rows.keys() == taken.keys()
    product = rows[Way.PRODUCT]
    assert product.times_faster == Spread(200, 200, 200)
    assert product.times_floor == Spread(2, 2, 2)
    assert product.microseconds.median == 3.75


def test_speeds_without_a_floor_have_no_ratio_to_it() -> None:
    """The floor puts nothing, so it does not take turns where predictions are put."""
    (row,) = speeds("linear", Puts.INSTANT, 100, {Way.REFERENCE: [600.0]})

    assert row.times_floor is None
