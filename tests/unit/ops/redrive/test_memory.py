import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.terminal import OpsError
from ops.redrive.failures import Identity
from ops.redrive.put_log import LEASE_SECONDS, Memory, State
from tests.unit.ops.redrive.bucket import SHARD, FakeBucket

ONE, TWO = (Identity("rides", SHARD, number, None) for number in "12")


class Remembering:
    """A bucket, and memories of it."""

    def __init__(self) -> None:
        self.bucket = FakeBucket()

    def memory(self, stream: str = "rides", onto: str = "rides") -> Memory:
        return Memory(self.bucket, "failures", stream, onto)

    def wait(self, seconds: float) -> None:
        self.bucket.now += timedelta(seconds=seconds)


def test_done_calls_are_remembered_by_the_next_put() -> None:
    """What the stream took is done; what it did not take for certain is in doubt."""
    there = Remembering()
    memory = there.memory()

    memory.end(memory.begin([ONE, TWO]), State.DONE, [ONE])

    assert (memory.done, there.memory().done) == ({ONE}, {ONE})
    assert there.memory().doubtful == {TWO}
    assert list(there.bucket.objects) == ["redriven/rides/00000001.json"]


def test_user_records_are_remembered_apart() -> None:
    """The places in an aggregated record come back as they were."""
    there = Remembering()
    memory, second = there.memory(), ONE._replace(sub_sequence_number=1)

    memory.end(memory.begin([second]), State.DONE, [second])

    assert there.memory().done == {second}


def test_streams_have_memories_of_their_own() -> None:
    """The same shard and number of another stream is another record."""
    there = Remembering()
    memory = there.memory()
    memory.end(memory.begin([ONE]), State.DONE, [ONE])

    assert there.memory("other").done == set()


@pytest.mark.parametrize("state", [State.DONE, State.CUT_OFF])
def test_put_onto_one_stream_is_none_onto_another(state: State) -> None:
    """Neither done nor in doubt there."""
    there = Remembering()
    memory = there.memory(onto="trial")
    memory.end(memory.begin([ONE]), state, [ONE])

    assert there.memory().done == there.memory().doubtful == set()
    assert there.memory(onto="trial").done | there.memory(onto="trial").doubtful == {ONE}


def test_puts_onto_two_streams_exclude_each_other() -> None:
    """They share their numbers, so that what is under way onto either holds up the other."""
    there = Remembering()
    there.memory(onto="trial").begin([ONE])

    with pytest.raises(OpsError, match="another put, by process .*, began a call 0 seconds ago"):
        there.memory().require_free()


def test_put_beside_another_is_refused() -> None:
    """The message says who runs the other put, since when, and how long a dead one counts."""
    there = Remembering()
    there.memory().begin([ONE])
    there.wait(30)

    with pytest.raises(
        OpsError,
        match="^another put, by process .*, began a call 30 seconds ago; wait until it ends, or, "
        "if it died, for 210 seconds$",
    ):
        there.memory().require_free()


def test_put_of_a_machine_whose_clock_is_wrong_is_refused_all_the_same() -> None:
    """The clock of S3 alone says how old a call is, not what the other machine wrote into it."""
    there = Remembering()
    call = {"state": "under_way", "began": 0, "by": "process 7", "onto": "rides", "records": []}
    there.bucket.put_object(Key="redriven/rides/00000001.json", Body=json.dumps(call).encode())

    with pytest.raises(OpsError, match="^another put, by process 7, "):
        there.memory().require_free()


def test_put_that_died_leaves_its_records_in_doubt() -> None:
    """After a while, a call without an end is over, and its records may be put again."""
    there = Remembering()
    there.memory().begin([ONE])
    there.wait(LEASE_SECONDS)

    memory = there.memory()
    memory.require_free()

    assert (memory.done, memory.doubtful) == (set(), {ONE})


def test_doubt_ends_when_the_record_is_put_again() -> None:
    """Only what was not put since is in doubt."""
    there = Remembering()
    memory = there.memory()
    memory.end(memory.begin([ONE, TWO]), State.CUT_OFF)
    memory.end(memory.begin([ONE]), State.DONE, [ONE])

    assert there.memory().doubtful == {TWO}


def test_one_of_two_puts_at_a_time_begins() -> None:
    """A number is taken once: the other put stops before it puts anything."""
    there = Remembering()
    first, second = there.memory(), there.memory()
    first.begin([ONE])

    with pytest.raises(OpsError, match="^another put has begun meanwhile; run this one again"):
        second.begin([TWO])


def test_write_that_meets_its_own_object_has_begun() -> None:
    """Botocore sends a write again whose answer was lost; nobody waits out a lease for that."""

    class Forgetful(FakeBucket):
        def put_object(self, **request: Any) -> dict[str, Any]:
            super().put_object(**request)
            return super().put_object(**request)

    there = Remembering()
    there.bucket = Forgetful()
    memory = there.memory()

    memory.end(memory.begin([ONE]), State.DONE, [ONE])

    assert there.memory().done == {ONE}


def test_note_that_is_gone_when_it_is_looked_for_is_not_ones_own() -> None:
    """S3 may refuse one of two writes at a time, and keep neither."""
    there = Remembering()
    memory = there.memory()
    there.bucket.error = ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

    with pytest.raises(OpsError, match="^another put has begun meanwhile"):
        memory.begin([ONE])


def test_note_that_cannot_be_read_stops_the_put() -> None:
    """To forget what was put would be to put it again."""
    there = Remembering()
    there.bucket.objects["redriven/rides/00000001.json"] = b"{"

    with pytest.raises(OpsError, match="00000001.json does not say what was put again"):
        there.memory()
