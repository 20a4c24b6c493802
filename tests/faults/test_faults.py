"""The whole path under faults: whatever fails, and whenever, nothing is lost or wrong."""

import pytest

from tests.faults.world import World


@pytest.mark.parametrize("seed", range(4))
def test_every_ride_comes_out_right_under_every_fault(seed: int) -> None:
    """Valid rides are predicted, bad ones rejected once, deadly ones given up, and nothing else."""
    report = World(seed, rides=5000, rate=0.05).run()

    assert report.wrong == []
    assert report.rides + report.bad == 5000
    assert report.deadly == 5


def test_every_ride_comes_out_right_in_parallel_lanes() -> None:
    """The same holds when batches of a shard run at the same time."""
    report = World(7, rides=5000, rate=0.05, parallelization=4).run()

    assert report.wrong == []


@pytest.mark.parametrize("seed", [21, 22])
def test_every_ride_comes_out_right_when_predictions_are_packed(seed: int) -> None:
    """The same holds of predictions that share records."""
    report = World(seed, rides=5000, rate=0.05, packed=True).run()

    assert report.wrong == []


def test_without_faults_nothing_comes_twice() -> None:
    """Duplicates come of faults alone."""
    report = World(3, rides=3000, rate=0).run()

    assert report.wrong == []
    assert (report.faults, report.duplicates) == ({}, 0)


def test_throttled_entries_are_sent_again_by_the_function_itself() -> None:
    """No batch comes again for entries that were throttled, and none of them comes twice."""
    kinds = ("throttled", "wrong count")
    report = World(5, rides=3000, rate=0.3, kinds=kinds, deadly_every=0, batch_size=50).run()

    assert report.wrong == []
    assert len(report.faults) == 3
    assert (report.most_attempts, report.duplicates) == (1, 0)


def test_rides_of_one_id_come_out_in_order_however_often_entries_are_refused() -> None:
    """Within a partition key, the first appearances are in the order of the input."""
    kinds = ("some entries throttled",)
    report = World(11, rides=3000, rate=0.7, kinds=kinds, deadly_every=0, batch_size=30).run()

    assert report.wrong == []


def test_every_kind_of_fault_strikes() -> None:
    """The suite is no better than its faults: with a high rate, each kind is there."""
    report = World(1, rides=3000, rate=0.15, batch_size=20).run()

    assert report.wrong == []
    assert len(report.faults) == 18, report.faults
