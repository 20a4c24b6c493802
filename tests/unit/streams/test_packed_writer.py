import hashlib
from collections.abc import Sequence
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from streams.aggregation import deaggregate, hash_key, payloads
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, fail, kinesis_event, refuse
from streams.packed_writer import GROUPS, MAX_PACKED_BYTES, PackedWriter
from streams.records import UserRecord, source_records
from streams.writer import Entry, StreamWriter
from tests.clock import ManualClock
from tests.kpl import parsed

_keys = st.lists(st.text("abcdé", min_size=1, max_size=2), max_size=60)


def entries(keys: Sequence[str], *, size: int = 10) -> list[Entry[UserRecord]]:
    """An entry for each key; its data is its place."""
    records = source_records(kinesis_event([b""] * len(keys)))
    return [
        Entry(record, key, str(place).encode().rjust(size), place)
        for place, (record, key) in enumerate(zip(records, keys, strict=True))
    ]


def put(
    kinesis: FakeKinesis, batch: Sequence[Entry[UserRecord]], seconds: float = 60
) -> list[Entry[UserRecord]]:
    clock = ManualClock()
    stream = PackedWriter(StreamWriter(kinesis, "ride_predictions", sleep=clock.sleep))
    return stream.put(batch, Deadline(seconds, clock=clock))


def arrived(kinesis: FakeKinesis) -> list[tuple[str, int]]:
    """Key and place of each entry, in the order in which their records were taken."""
    return [
        (key, int(data)) for record in kinesis.records for key, data in deaggregate(record["Data"])
    ]


@given(_keys)
def test_packed_entries_arrive_once_under_their_keys_in_order(keys: list[str]) -> None:
    """Taken apart, records hold each entry with its own key, and a key's entries in order."""
    kinesis = FakeKinesis([refuse(0), refuse(1, 2)])

    assert put(kinesis, entries(keys)) == []

    found = arrived(kinesis)
    assert sorted(place for _, place in found) == list(range(len(keys)))
    assert all(keys[place] == key for key, place in found)
    by_key = groupby(sorted(found, key=lambda pair: pair[0]), key=lambda pair: pair[0])
    for _, pairs in by_key:
        places = [place for _, place in pairs]
        assert places == sorted(places)


def test_packed_entries_take_a_record_a_group() -> None:
    """A batch makes as many records as there are groups, under keys of the source's shard."""
    kinesis = FakeKinesis()

    put(kinesis, entries([str(place) for place in range(1000)], size=300))

    keys = {record["PartitionKey"] for record in kinesis.records}
    assert keys == {f"shardId-000000000000.{number}" for number in range(GROUPS)}
    assert len(kinesis.records) == GROUPS


def test_packed_record_is_of_the_kpls_format_for_its_shard() -> None:
    """Google's own reader finds keys, data and a hash key: that of the record's own key."""
    kinesis = FakeKinesis()

    put(kinesis, entries(["a", "a"]))

    (record,) = kinesis.records
    message = parsed(record["Data"])
    assert list(message.partition_key_table) == ["a"]
    digest = hashlib.md5(record["PartitionKey"].encode()).hexdigest()
    assert list(message.explicit_hash_key_table) == [str(int(digest, 16))]
    assert [(r.partition_key_index, r.explicit_hash_key_index) for r in message.records] == [
        (0, 0),
        (0, 0),
    ]
    assert [int(r.data) for r in message.records] == [0, 1]


def test_packed_records_have_a_bounded_size() -> None:
    """What is too much for one record goes into the next, and an entry is never cut."""
    kinesis = FakeKinesis()

    put(kinesis, entries(["a"] * 5, size=MAX_PACKED_BYTES // 2 - 1))
    put(kinesis, entries(["a"], size=2 * MAX_PACKED_BYTES))

    assert [len(payloads(record["Data"])) for record in kinesis.records] == [2, 2, 1, 1]


def test_packed_records_of_a_key_do_not_overtake_a_refused_one() -> None:
    """When a key fills several records, a refused record arrives before the later ones."""
    kinesis = FakeKinesis([refuse(0)])

    assert put(kinesis, entries(["a"] * 4, size=MAX_PACKED_BYTES)) == []

    assert [place for _, place in arrived(kinesis)] == [0, 1, 2, 3]


def test_unsent_are_the_entries_of_records_that_did_not_arrive() -> None:
    """Each entry in a record that was refused to the end comes again, and no other."""
    one_group = ["a"] * 3
    kinesis = FakeKinesis([fail(ConnectionError())])
    batch = entries(one_group)

    assert put(kinesis, batch) == batch


def test_put_nothing_packs_nothing() -> None:
    """An empty batch makes no call."""
    kinesis = FakeKinesis()

    assert put(kinesis, []) == []
    assert kinesis.calls == []


@given(partition_key=st.text(max_size=256))
def test_hash_key_is_the_md5_as_a_number(partition_key: str) -> None:
    """As AWS says of partition keys: 128 bits, the first of which weighs most."""
    digest = hashlib.md5(partition_key.encode()).hexdigest()

    assert f"{hash_key(partition_key):032x}" == digest
