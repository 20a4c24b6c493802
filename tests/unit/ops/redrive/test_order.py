import pytest

from ops.redrive.failures import Failure, FailureStore
from ops.redrive.order import in_order
from ops.redrive.selection import Selection
from tests.unit.ops.redrive.bucket import AWS_KEY, FakeBucket, given_up, rejected, rejection


def ordered(bucket: FakeBucket, reports: list[str] | None = None) -> list[Failure]:
    store = FailureStore(bucket, "failures", pytest.fail if reports is None else reports.append)
    return list(in_order(store, Selection(), lambda *_: None))


def positions(bucket: FakeBucket) -> list[str]:
    return [failure.identity.position.partition(":")[2] for failure in ordered(bucket)]


def test_objects_that_overlap_are_merged() -> None:
    """Two models and the mapping gave up records of one stretch; numbers are no text."""
    bucket = FakeBucket(
        {
            **rejected(rejection(8), rejection(10)),
            **rejected(rejection(9, model="tips")),
            **given_up(b"", b"", first=10),
        }
    )

    assert positions(bucket) == ["8", "9", "10", "10", "11"]


def test_whole_record_comes_before_its_user_records() -> None:
    """Whoever gave it up: what it holds need not be put beside it."""
    parts = [rejection(1, sub=place) for place in (10, 9)]

    assert positions(FakeBucket({**rejected(*parts), **given_up(b"")})) == ["1", "1.9", "1.10"]


def test_object_is_read_when_its_turn_comes() -> None:
    """A bucket of many days is not held in memory."""
    bucket = FakeBucket({**rejected(rejection(1)), **rejected(rejection(2))})
    store = FailureStore(bucket, "failures", pytest.fail)

    next(in_order(store, Selection(), lambda *_: None))

    assert len(bucket.reads) == 1


def test_batch_that_cannot_be_read_is_reported_once() -> None:
    """Batches are read twice, and the others come all the same."""
    reports: list[str] = []
    bucket = FakeBucket({**given_up(b"", first=3), f"{AWS_KEY}1": b"{"})

    (failure,) = ordered(bucket, reports)

    assert failure.source.sequence_number == "3"
    assert len(reports) == 1


def test_reading_is_told_as_it_goes() -> None:
    """An object of a batch counts twice, as it is read."""
    told: list[tuple[float, float]] = []
    store = FailureStore(FakeBucket(given_up(b"")), "failures", pytest.fail)

    list(in_order(store, Selection(), lambda done, total: told.append((done, total))))

    assert [done / total for done, total in told] == [0, 0.5]
