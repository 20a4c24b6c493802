from collections.abc import Sequence

import pytest
from botocore.exceptions import EndpointConnectionError

from cli.terminal import OpsError
from ops.redrive.failures import identity_of
from ops.redrive.put_log import Memory
from ops.redrive.resend import Resender, calls
from ops.redrive.resend_plan import Planned
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, Json, fail, refuse
from streams.writer import Entry, StreamWriter
from tests.clock import ManualClock
from tests.unit.ops.redrive.bucket import FakeBucket, rejection


def planned(
    number: int, data: bytes = b"x", *, sub: int | None = None, key: str | None = None
) -> Planned:
    source = rejection(number, sub=sub, key=key or f"key-{number}").source
    return Entry(identity_of(source), source.partition_key, data, (source.sequence_number, sub))


class Sending:
    """A resender with a stream, a bucket and a memory of it."""

    def __init__(self, kinesis: FakeKinesis) -> None:
        self.kinesis = kinesis
        self.bucket = FakeBucket()
        self.memory = Memory(self.bucket, "failures", "rides", "rides")
        clock = ManualClock()
        stream = StreamWriter(kinesis, "rides", sleep=clock.sleep)
        self.resender = Resender(
            stream, "rides", self.memory, deadline=lambda: Deadline(60, clock=clock)
        )

    @property
    def remembered(self) -> list[str]:
        done = Memory(self.bucket, "failures", "rides", "rides").done
        return sorted((i.sequence_number for i in done), key=int)


def test_each_call_is_remembered() -> None:
    """What the stream took, in calls of five hundred, is not put by the next put."""
    sending = Sending(FakeKinesis())

    sending.resender.put(map(planned, range(1, 1002)))

    assert [len(call) for call in sending.kinesis.calls] == [500, 500, 1]
    assert len(sending.bucket.objects) == 3
    assert sending.remembered == [str(n) for n in range(1, 1002)]


def test_only_refused_records_are_sent_again() -> None:
    """A refused record does not take its neighbours with it."""
    sending = Sending(FakeKinesis([refuse(1)]))

    sending.resender.put([planned(1), planned(2), planned(3)])

    again = [[entry["PartitionKey"] for entry in call] for call in sending.kinesis.calls]
    assert again == [["key-1", "key-2", "key-3"], ["key-2"]]
    assert sending.remembered == ["1", "2", "3"]


def test_user_records_of_a_key_do_not_overtake_each_other() -> None:
    """A refused ride of an aggregated record arrives before the later ones of its key."""
    sending = Sending(FakeKinesis([refuse(0)]))

    sending.resender.put(planned(1, bytes([n]), sub=n, key="one") for n in range(3))

    assert [entry["Data"] for entry in sending.kinesis.records] == [b"\0", b"\1", b"\2"]


def test_record_that_is_refused_to_the_end_is_not_remembered() -> None:
    """The put ends there, so that nothing overtakes it; the next one puts it, and only it."""

    class Stubborn(FakeKinesis):
        def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
            answer = refuse(len(Records) - 1)(Records)
            self.calls.append(Records)
            return answer

    sending = Sending(Stubborn())

    with pytest.raises(OpsError, match="^rides took 1 of 2 records, and 0 before them; "):
        sending.resender.put([planned(1), planned(2)])

    assert sending.remembered == ["1"]


def test_stream_that_takes_nothing_ends_the_put() -> None:
    """Its first call is the last one, and may have put its records, though it had no answer."""
    sending = Sending(FakeKinesis([fail(ConnectionError("reset"))]))

    with pytest.raises(
        OpsError,
        match="^rides took 0 of 500 records, and 0 before them; put again when it takes records: "
        "those are not put twice$",
    ):
        sending.resender.put(map(planned, range(1, 1002)))

    assert len(sending.kinesis.calls) == 1
    assert sending.remembered == []
    memory = Memory(sending.bucket, "failures", "rides", "rides")
    memory.require_free()
    assert len(memory.doubtful) == 500


def test_interrupted_call_leaves_its_records_in_doubt() -> None:
    """After Ctrl-C between a call and its answer nobody knows what arrived."""

    class Interrupted(FakeKinesis):
        def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
            raise KeyboardInterrupt

    sending = Sending(Interrupted())

    with pytest.raises(KeyboardInterrupt):
        sending.resender.put([planned(1)])

    memory = Memory(sending.bucket, "failures", "rides", "rides")
    memory.require_free()
    assert [i.sequence_number for i in memory.doubtful] == ["1"]


def test_call_that_cannot_be_remembered_ends_the_put() -> None:
    """At most one call's records are in doubt, and it is said."""
    sending = Sending(FakeKinesis())

    class Breaking(StreamWriter):
        def put[Token](
            self, entries: Sequence[Entry[Token]], deadline: Deadline
        ) -> list[Entry[Token]]:
            sending.bucket.error = EndpointConnectionError(endpoint_url="s3")
            return super().put(entries, deadline)

    sending.resender._stream = Breaking(sending.kinesis, "rides")

    with pytest.raises(OpsError, match="^rides took 500 records, which cannot be remembered"):
        sending.resender.put(map(planned, range(1, 1002)))

    assert len(sending.kinesis.records) == 500


def test_call_that_cannot_be_noted_is_not_made() -> None:
    """Nothing is put that would not be known."""
    sending = Sending(FakeKinesis())
    sending.bucket.error = EndpointConnectionError(endpoint_url="s3")

    with pytest.raises(EndpointConnectionError):
        sending.resender.put([planned(1)])

    assert sending.kinesis.calls == []


def test_calls_hold_what_putrecords_takes() -> None:
    """A call ends before its bytes are too many; a large record goes alone."""
    large = [planned(n, b"x" * 2_000_000) for n in range(3)]

    assert [len(call) for call in calls(large)] == [2, 1]
    assert list(calls([])) == []


def test_calls_hold_few_records_of_a_key() -> None:
    """They go one by one, which may take a tenth of a second each; other keys do not count."""
    of_key = [planned(n, key="one") for n in range(201)]

    assert [len(call) for call in calls([planned(999), *of_key])] == [101, 100, 1]
