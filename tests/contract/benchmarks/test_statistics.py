"""Medians, quartiles and ratios."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.statistics import Spread, ratio

samples = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50)


def test_spread_is_the_median_and_the_quartiles() -> None:
    """Of five samples in any order, the second, third and fourth smallest."""
    assert Spread.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(3.0, 2.0, 4.0, 5)


def test_spread_of_one_sample_is_that_sample() -> None:
    """A quick run has no more than one."""
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 1)


@given(samples)
def test_spread_lies_within_its_samples(taken: list[float]) -> None:
    """Quartiles lie around the median, and nothing lies outside of the samples."""
    found = Spread.of(taken)

    assert min(taken) <= found.low <= found.median <= found.high <= max(taken)


@given(samples, st.floats(0.5, 1000))
def test_ratio_is_by_the_round(taken: list[float], factor: float) -> None:
    """Where each round is as much slower in one way, noise of the rounds leaves no spread."""
    found = ratio([sample * factor for sample in taken], taken)

    assert found.low == pytest.approx(factor)
    assert found.high == pytest.approx(factor)


def test_ratio_of_unequal_rounds_is_refused() -> None:
    """A round in which one of the two is missing is an error."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])
