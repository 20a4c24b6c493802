from collections.abc import Sequence

import pytest

from cli.terminal import OpsError
from ops.redrive.failures import FailureStore, Identity
from ops.redrive.fixup import Fix, load_fix
from ops.redrive.order import in_order
from ops.redrive.put_log import Memory, State
from ops.redrive.resend_plan import Fate, Plan
from ops.redrive.selection import Selection
from streams.rejections import Rejection
from tests.kpl import aggregate
from tests.unit.ops.redrive.bucket import SHARD, FakeBucket, given_up, rejected, rejection

AGGREGATE = aggregate([("a", b"1"), ("b", b"2")])


class Planning:
    """A plan for what is in a bucket."""

    def __init__(
        self,
        *rejections: Rejection,
        batch: Sequence[bytes] = (),
        done: Sequence[Identity] = (),
        fix: Fix | None = None,
        max_bytes: int = 1000,
    ) -> None:
        objects: dict[str, bytes] = {}
        for each in rejections:
            objects |= rejected(each)
        bucket = FakeBucket(objects | (given_up(*batch) if batch else {}))
        memory = Memory(bucket, "failures", "rides", "rides")
        memory.end(memory.begin(done), State.DONE, done)
        self.reports: list[str] = []
        self.plan = Plan(memory, fix, max_bytes, self.reports.append)
        store = FailureStore(bucket, "failures", self.reports.append)
        failures = in_order(store, Selection(), lambda *_: None)
        self.planned = list(self.plan.records(failures))

    @property
    def entries(self) -> list[tuple[str, bytes]]:
        return [(entry.partition_key, entry.data) for entry in self.planned]

    @property
    def fates(self) -> dict[Fate, int]:
        return {fate: count for fate, count in self.plan.fates.items() if count}


def identity(number: int, sub: int | None = None) -> Identity:
    return Identity("rides", SHARD, str(number), sub)


def raises(payload: bytes) -> bytes:
    raise ValueError("no\nway")


def test_record_is_put_with_its_key_and_bytes() -> None:
    """Without a fix-up nothing about it changes, be it UTF-8 or not."""
    assert Planning(rejection(1, b"\xff\x00", key="ключ")).entries == [("ключ", b"\xff\x00")]


def test_record_that_two_models_rejected_is_put_once() -> None:
    """Source stream, shard and numbers say which record it is."""
    planning = Planning(rejection(1), rejection(1, model="tips"), rejection(2, model="tips"))

    assert [entry.token for entry in planning.planned] == [identity(1), identity(2)]
    assert planning.fates == {Fate.PUT: 2, Fate.SAME: 1}


def test_record_that_was_rejected_and_given_up_is_put_once() -> None:
    """A batch may be given up after some of its records were rejected."""
    planning = Planning(rejection(1, b"bad"), batch=[b"bad", b"good"])

    assert planning.entries == [("key", b"bad"), ("key-1", b"good")]


def test_record_that_was_put_before_is_not_put_again() -> None:
    """Neither by its rejection nor by its batch."""
    planning = Planning(rejection(1), batch=[b"1", b"2"], done=[identity(1)])

    assert [entry.token for entry in planning.planned] == [identity(2)]
    assert planning.fates == {Fate.PUT: 1, Fate.BEFORE: 1, Fate.SAME: 1}


def test_user_records_of_one_record_are_all_put() -> None:
    """Rejected rides of one aggregated record are put one by one, each under its own key."""
    rides = rejection(1, b"x", sub=0, key="a"), rejection(1, b"x", sub=1, key="b", model="tips")
    planning = Planning(*rides)

    assert planning.entries == [("a", b"x"), ("b", b"x")]
    assert [entry.token for entry in planning.planned] == [identity(1, 0), identity(1, 1)]


def test_aggregated_record_of_a_batch_is_put_whole() -> None:
    """Hash keys and tags that the producer gave come along."""
    assert Planning(batch=[AGGREGATE]).entries == [("key-0", AGGREGATE)]


def test_aggregated_record_is_taken_apart_for_a_fix_up() -> None:
    """A fix-up is for rides, not for what the KPL makes of them."""
    planning = Planning(batch=[AGGREGATE], fix=lambda payload: payload + b"!")

    assert planning.entries == [("a", b"1!"), ("b", b"2!")]


def test_aggregated_record_is_taken_apart_if_a_part_was_put_alone() -> None:
    """The other rides come back, and this one not again."""
    planning = Planning(batch=[AGGREGATE], done=[identity(1, 0)])

    assert planning.entries == [("b", b"2")]


def test_aggregated_record_brings_its_rejected_part_along() -> None:
    """The part is not put beside it."""
    planning = Planning(rejection(1, b"1", sub=0, key="a"), batch=[AGGREGATE])

    assert planning.entries == [("key-0", AGGREGATE)]
    assert planning.fates == {Fate.PUT: 1, Fate.SAME: 1}


def test_aggregated_record_that_is_too_large_is_taken_apart() -> None:
    """A stream that takes smaller records takes its rides."""
    planning = Planning(batch=[AGGREGATE], max_bytes=len(AGGREGATE))

    assert planning.entries == [("a", b"1"), ("b", b"2")]


def test_parts_come_in_their_order_whoever_gave_them_up() -> None:
    """A rejected part does not overtake the rides before it."""
    planning = Planning(rejection(1, b"2", sub=1), batch=[AGGREGATE], fix=lambda payload: payload)

    assert planning.entries == [("a", b"1"), ("b", b"2")]


def test_part_of_a_record_that_was_put_whole_is_not_put_again() -> None:
    """It was on the stream with the others."""
    planning = Planning(rejection(1, b"1", sub=0), done=[identity(1)])

    assert planning.fates == {Fate.BEFORE: 1}


def test_damaged_aggregate_of_a_batch_is_put_whole() -> None:
    """What cannot be taken apart stays as it was."""
    damaged = AGGREGATE[:-1] + b"?"

    assert Planning(batch=[damaged], fix=lambda payload: payload).entries == [("key-0", damaged)]


def test_fix_up_may_leave_a_record_out() -> None:
    """None is counted, and no fault."""
    planning = Planning(rejection(1), fix=lambda _: None)

    assert (planning.fates, planning.reports) == ({Fate.LEFT_OUT: 1}, [])


@pytest.mark.parametrize(
    ("fix", "why"),
    [
        (raises, "the fix-up raised ValueError: no way"),
        (lambda _: "text", "the fix-up gave a str; it must give bytes or None"),
    ],
)
def test_fix_up_that_fails_leaves_its_record_and_says_so(fix: Fix, why: str) -> None:
    """The record stays where it is; the others are put."""
    planning = Planning(
        rejection(1, b"a"), fix=lambda p: fix(p) if p == b"a" else p, batch=[b"a", b"b"]
    )

    assert planning.fates == {Fate.NOT_FIXED: 1, Fate.SAME: 1, Fate.PUT: 1}
    assert planning.reports == [f"{SHARD}:1: not fixed: {why}"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (rejection(1, "?"), "its data is not what was put: "),
        (rejection(1, key=""), "its partition key has 0 characters; 1 to 256 can"),
        (rejection(1, key="x" * 257), "its partition key has 257 characters; 1 to 256 can"),
        (rejection(1, b"x" * 998), "it has 1001 bytes, and the stream takes 1000"),
    ],
)
def test_record_that_no_stream_takes_is_reported(bad: Rejection, why: str) -> None:
    """It would make a call of five hundred fail."""
    planning = Planning(bad, batch=[b"0", b"good"])

    assert planning.fates[Fate.UNFIT] == 1
    assert planning.reports[0].startswith(f"{SHARD}:1: unfit: {why}")
    assert ("key-1", b"good") in planning.entries


@pytest.mark.parametrize(("in_doubt", "doubtful"), [(identity(1), 2), (identity(1, 0), 1)])
def test_part_of_a_record_in_doubt_is_in_doubt(in_doubt: Identity, doubtful: int) -> None:
    """If an aggregated record is in doubt, so are all its rides; one ride in doubt is just one."""
    bucket = FakeBucket(given_up(AGGREGATE))
    memory = Memory(bucket, "failures", "rides", "rides")
    memory.end(memory.begin([in_doubt]), State.CUT_OFF)
    plan = Plan(
        Memory(bucket, "failures", "rides", "rides"), lambda payload: payload, 1000, pytest.fail
    )
    store = FailureStore(bucket, "failures", pytest.fail)

    assert len(list(plan.records(in_order(store, Selection(), lambda *_: None)))) == 2
    assert plan.doubtful == doubtful


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "is not allowed; it must be module:function"),
        (":loads", "is not allowed; it must be module:function"),
        ("nowhere:f", "cannot be loaded: ModuleNotFoundError"),
        ("json:f", "cannot be loaded: AttributeError"),
        ("math:pi", "is a float; it must be a function"),
    ],
)
def test_fix_that_cannot_be_loaded_is_refused(name: str, why: str) -> None:
    """The option and its value are named."""
    with pytest.raises(OpsError, match=f"^--fix '{name}' {why}"):
        load_fix(name)
