from collections.abc import Sequence

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from streams.deadline import Deadline
from streams.errors import Reason
from streams.fakes import FakeKinesis, FakeS3, accept, fail, kinesis_event, refuse
from streams.records import SourceRecord, UserRecord, source_records
from streams.rejections import Rejection, RejectionSource, RejectionStore, rejection_key
from streams.writer import (
    BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_CALL_BYTES,
    MAX_CALL_ENTRIES,
    Entry,
    StreamWriter,
)
from tests.clock import ManualClock

DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutRecords")
ARRIVED = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
UNREACHABLE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def entries(
    count: int, *, size: int = 10, keys: Sequence[str] | None = None
) -> list[Entry[UserRecord]]:
    records = source_records(kinesis_event([b""] * count))
    return [
        Entry(record, keys[place] if keys else f"k{place}", str(place).encode().rjust(size), place)
        for place, record in enumerate(records)
    ]


def put(
    kinesis: FakeKinesis, batch: Sequence[Entry[UserRecord]], *, seconds: float = 60
) -> tuple[list[Entry[UserRecord]], ManualClock]:
    clock = ManualClock()
    stream = StreamWriter(kinesis, "ride_predictions", sleep=clock.sleep)
    return stream.put(batch, Deadline(seconds, clock=clock)), clock


def numbers(kinesis: FakeKinesis) -> list[int]:
    return [int(record["Data"]) for record in kinesis.records]


def test_put_sends_data_and_key_in_order() -> None:
    """Every entry arrives once, in order, under its partition key."""
    kinesis = FakeKinesis()

    unsent, _ = put(kinesis, entries(3))

    assert unsent == []
    assert [(r["PartitionKey"], int(r["Data"])) for r in kinesis.records] == [
        ("k0", 0),
        ("k1", 1),
        ("k2", 2),
    ]


def test_put_splits_calls_at_500_entries() -> None:
    """No call has more entries than PutRecords takes."""
    kinesis = FakeKinesis()

    put(kinesis, entries(1001))

    assert [len(call) for call in kinesis.calls] == [500, 500, 1]
    assert numbers(kinesis) == list(range(1001))


def test_put_splits_calls_at_5_mb() -> None:
    """No call has more bytes, keys included, than PutRecords takes."""
    kinesis = FakeKinesis()

    put(kinesis, entries(12, size=1_000_000))

    assert [len(call) for call in kinesis.calls] == [4, 4, 4]


def test_put_resends_only_refused_entries() -> None:
    """What arrived is not sent again; what was refused is, until it arrives."""
    kinesis = FakeKinesis([refuse(1, 3), refuse(0)])

    unsent, clock = put(kinesis, entries(5))

    assert unsent == []
    assert [[int(e["Data"]) for e in call] for call in kinesis.calls] == [
        [0, 1, 2, 3, 4],
        [1, 3],
        [1],
    ]
    assert len(clock.sleeps) == 2


def test_put_refills_the_call_after_a_refusal() -> None:
    """Refused entries go first in the next call, and waiting ones fill it."""
    kinesis = FakeKinesis([refuse(0)])

    put(kinesis, entries(MAX_CALL_ENTRIES + 1))

    assert [int(e["Data"]) for e in kinesis.calls[1]] == [0, MAX_CALL_ENTRIES]


def test_put_backs_off_longer_while_nothing_gets_through() -> None:
    """Waits grow from call to call that brings nothing through, up to a limit, with jitter."""
    kinesis = FakeKinesis([refuse(0)] * 50)

    _, clock = put(kinesis, entries(1), seconds=10_000)

    ceilings = [min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**turn) for turn in range(1, 51)]
    assert all(wait <= most for wait, most in zip(clock.sleeps, ceilings, strict=True))
    assert max(clock.sleeps) > BACKOFF_SECONDS
    assert len(set(clock.sleeps)) > 40


def test_put_entry_refused_every_time_is_reported_at_the_deadline() -> None:
    """One entry that never gets through is reported; its neighbours arrive, and in time."""
    kinesis = FakeKinesis(
        lambda batch: refuse(*[n for n, e in enumerate(batch) if int(e["Data"]) == 2])(batch)
        for _ in range(10_000)
    )

    batch = entries(MAX_CALL_ENTRIES * 3)
    unsent, clock = put(kinesis, batch, seconds=60)

    assert unsent == [batch[2]]
    assert sorted(numbers(kinesis)) == [n for n in range(len(batch)) if n != 2]
    assert clock.now <= 60


@pytest.mark.parametrize("count", [0, 1, 99])
def test_put_trusts_each_entrys_code_over_the_count(count: int) -> None:
    """A FailedRecordCount that disagrees with the entries changes nothing."""
    kinesis = FakeKinesis([lambda batch: {**refuse(0, 2)(batch), "FailedRecordCount": count}])

    assert put(kinesis, entries(3))[0] == []
    assert [int(e["Data"]) for e in kinesis.calls[1]] == [0, 2]


def test_put_count_of_failures_without_any_resends_nothing() -> None:
    """A FailedRecordCount above 0 with no failed entry is no failure."""
    kinesis = FakeKinesis([lambda batch: {**accept(batch), "FailedRecordCount": 3}])

    assert put(kinesis, entries(3))[0] == []
    assert len(kinesis.calls) == 1


@pytest.mark.parametrize("results", [0, 2, 4])
def test_put_answer_with_another_number_of_results_resends_all(results: int) -> None:
    """If results cannot be told apart, everything is sent again rather than forgotten."""
    kinesis = FakeKinesis(
        [lambda _: {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1"}] * results}]
    )

    assert put(kinesis, entries(3))[0] == []
    assert len(kinesis.calls[1]) == 3


@pytest.mark.parametrize("error", [DENIED, UNREACHABLE, RuntimeError("bug"), KeyError("Records")])
def test_put_exception_in_the_middle_reports_what_is_not_sent(error: Exception) -> None:
    """After an exception, what arrived before counts, and all the rest is reported."""
    kinesis = FakeKinesis([accept, fail(error)])
    batch = entries(1200)

    unsent, _ = put(kinesis, batch)

    assert unsent == batch[500:]
    assert numbers(kinesis) == list(range(500))


def test_put_answer_without_results_is_a_failed_call() -> None:
    """An answer that is none is treated as a call that failed."""
    batch = entries(2)

    assert put(FakeKinesis([lambda _: {"Records": None}]), batch)[0] == batch


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"ErrorMessage": "?"},
        {"SequenceNumber": None},
        {"SequenceNumber": ""},
        {"SequenceNumber": "1", "ErrorCode": "InternalFailure"},
    ],
)
def test_put_result_without_a_sequence_number_or_with_a_code_is_no_delivery(
    result: dict[str, str | None],
) -> None:
    """Only an entry that got a sequence number, and no error code, has arrived."""
    kinesis = FakeKinesis([lambda _: {"FailedRecordCount": 0, "Records": [result, ARRIVED]}])

    assert put(kinesis, entries(2))[0] == []
    assert [int(e["Data"]) for e in kinesis.calls[1]] == [0]


def test_put_waits_no_longer_than_there_is_time() -> None:
    """The last wait before the deadline ends at the deadline."""
    kinesis = FakeKinesis(refuse(0) for _ in range(10_000))

    _, clock = put(kinesis, entries(1), seconds=60)

    assert clock.now <= Deadline(60, clock=ManualClock()).seconds_left() + 0.01


def test_put_some_progress_keeps_the_waits_short() -> None:
    """While some entries get through, waits do not grow."""
    kinesis = FakeKinesis(refuse(*range(1, left)) for left in range(40, 0, -1))

    _, clock = put(kinesis, entries(40))

    assert max(clock.sleeps) <= BACKOFF_SECONDS


def test_put_waits_start_anew_after_a_success() -> None:
    """A call that gets through ends a row of those that did not."""
    answers = [refuse(0)] * 8 + [accept, refuse(0)]
    kinesis = FakeKinesis(answers)

    _, clock = put(kinesis, entries(2, keys=["a", "a"]))

    assert clock.sleeps[-1] <= 2 * BACKOFF_SECONDS


def test_put_stuck_key_does_not_hold_back_other_keys() -> None:
    """Later entries of other keys go, while one key's first entry is refused to the end."""
    kinesis = FakeKinesis(
        lambda call: refuse(*[n for n, e in enumerate(call) if int(e["Data"]) == 0])(call)
        for _ in range(10_000)
    )
    batch = entries(6, keys=["a", "b", "b", "b", "a", "b"])

    unsent, _ = put(kinesis, batch)

    assert unsent == [batch[0], batch[4]]
    assert numbers(kinesis) == [1, 2, 3, 5]


def test_put_after_the_deadline_sends_nothing() -> None:
    """Without time, everything is reported and nothing is tried."""
    kinesis = FakeKinesis()
    batch = entries(3)

    assert put(kinesis, batch, seconds=0.1)[0] == batch
    assert kinesis.calls == []


def test_put_same_key_goes_in_calls_one_after_the_other() -> None:
    """Entries of one key keep their order, even if the first of them is refused."""
    kinesis = FakeKinesis([refuse(0)])

    unsent, _ = put(kinesis, entries(4, keys=["a", "a", "b", "a"]))

    assert unsent == []
    assert [[int(e["Data"]) for e in call] for call in kinesis.calls] == [[0, 2], [0], [1], [3]]


@given(
    st.lists(st.sampled_from("abc"), max_size=12),
    st.lists(st.sets(st.integers(0, 11)), max_size=8),
    st.integers(-1, 8),
)
def test_put_any_faults_lose_nothing_and_keep_each_keys_order(
    keys: list[str], refusals: list[set[int]], dies_at: int
) -> None:
    """Under any faults, each entry arrives or is reported, and first arrivals keep key order."""
    answers = [refuse(*refused) for refused in refusals]
    if dies_at >= 0:
        answers[dies_at:dies_at] = [fail(UNREACHABLE)]
    kinesis = FakeKinesis(answers)
    batch = entries(len(keys), keys=keys)

    unsent, _ = put(kinesis, batch)

    arrived = numbers(kinesis)
    assert sorted(arrived + [int(e.data) for e in unsent]) == list(range(len(keys)))
    for key in set(keys):
        of_key = [number for number in arrived if keys[number] == key]
        assert of_key == sorted(of_key)


@given(st.lists(st.integers(1, 1_000_000), max_size=40))
def test_put_any_sizes_stay_within_the_limits(sizes: list[int]) -> None:
    """No call breaks a limit, and none is split that would have fitted."""
    kinesis = FakeKinesis()
    records = source_records(kinesis_event([b""] * len(sizes)))
    batch = [
        Entry(record, str(n), b"x" * size, n)
        for n, (record, size) in enumerate(zip(records, sizes, strict=True))
    ]

    put(kinesis, batch)

    totals = [sum(len(e["Data"]) + len(e["PartitionKey"]) for e in c) for c in kinesis.calls]
    assert all(total <= MAX_CALL_BYTES for total in totals)
    assert len(totals) <= 1 + 2 * sum(sizes) // MAX_CALL_BYTES + 1


def rejections(batch: Sequence[SourceRecord]) -> list[Rejection]:
    return [
        Rejection(
            Reason.INVALID_JSON,
            "the data is not JSON",
            RejectionSource("ride_events", record.shard, record.sequence_number, None, "key", 1.5),
            "m",
            "v",
            record.data,
        )
        for record in batch
    ]


def test_rejections_are_one_object_of_json_lines() -> None:
    """The rejections of a batch are lines of one object, with all that is known."""
    s3 = FakeS3()
    batch = source_records(kinesis_event([b"x", b"y"]))

    safe = RejectionStore(s3, "failures", "m", "v").put(rejections(batch), batch, Deadline(60))

    assert safe
    assert s3.lines == msgspec.to_builtins(rejections(batch))
    assert len(s3.objects) == 1


def test_rejections_key_is_the_same_on_a_retry() -> None:
    """A retry of the same batch overwrites its object instead of adding one."""
    s3 = FakeS3()
    batch = source_records(kinesis_event([b"x", b"y"]))
    store = RejectionStore(s3, "failures", "m", "v")

    for _ in range(2):
        store.put(rejections(batch), batch, Deadline(60))

    assert list(s3.objects) == [
        "rejected/m/v/ride_events/2022-06-02/shardId-000000000000/"
        f"{batch[0].sequence_number}-{batch[1].sequence_number}.jsonl"
    ]


def test_rejections_key_differs_by_model_version_stream_and_shard() -> None:
    """Two functions, versions, streams or shards never overwrite each other's rejections."""
    here = source_records(kinesis_event([b"x"]))
    keys = {
        rejection_key("duration", "v1", here),
        rejection_key("duration", "v2", here),
        rejection_key("tip", "v1", here),
        rejection_key("tip", "v1", source_records(kinesis_event([b"x"], stream="other"))),
        rejection_key("tip", "v1", source_records(kinesis_event([b"x"], shard="shardId-1"))),
    }
    assert len(keys) == 5


@pytest.mark.parametrize("error", [DENIED, UNREACHABLE, RuntimeError("bug")])
def test_rejections_store_down_is_said(error: Exception) -> None:
    """A store that fails makes nothing safe, and raises nothing."""
    batch = source_records(kinesis_event([b"x"]))

    store = RejectionStore(FakeS3(error), "failures", "m", "v")

    assert store.put(rejections(batch), batch, Deadline(60)) is False


def test_rejections_after_the_deadline_are_not_stored() -> None:
    """Without time, nothing is tried and nothing is safe."""
    s3 = FakeS3()
    batch = source_records(kinesis_event([b"x"]))

    assert not RejectionStore(s3, "failures", "m", "v").put(rejections(batch), batch, Deadline(0.1))
    assert s3.objects == {}
