"""Targets beside what was measured."""

import pytest

from benchmarks.goals import targets
from benchmarks.results import Puts, Way
from benchmarks.starts import PRODUCT
from tests.contract.benchmarks.made import results, speed, start


def test_targets_are_met_where_all_is_within_bounds() -> None:
    """Each of the thirteen is judged by its own measurement."""
    assert [target.is_met for target in targets(results())] == [True] * 13


def test_targets_missed_say_by_how_much() -> None:
    """A speed too low and a start too slow are missed by a factor, and nothing else is."""
    slow = speed("linear", Puts.NONE, 1000, Way.PRODUCT, faster=75.0)
    others = [row for row in results().speeds if row.way is not Way.REFERENCE and row != slow]
    kept = [r for r in others if (r.model, r.puts, r.batch) != ("linear", Puts.NONE, 1000)]
    late = start(PRODUCT, "linear", of_clients=3.4)

    found = targets(results(speeds=[slow, *kept], starts=[late]))

    missed = {target.what: target.missed_by for target in found if not target.is_met}
    assert missed == {
        "linear model, without puts, batches of 1,000: times faster than the reference": 2.0,
        "linear model, cold start: times boto3 and two clients": pytest.approx(2.0),
    }


def test_targets_not_measured_are_neither_met_nor_missed() -> None:
    """A quick run leaves some out."""
    found = targets(results(speeds=[], starts=[], installed=[], equality=[]))

    assert {target.is_met for target in found} == {None}
