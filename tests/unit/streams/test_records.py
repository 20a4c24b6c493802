from typing import Any

import pytest

from streams.errors import EventError, Reason, Rejected
from streams.fakes import FIRST_SEQUENCE_NUMBER, kinesis_event
from streams.records import SourceRecord, lowest, source_records, user_records
from tests.kpl import aggregate


def test_source_records_have_what_lambda_delivers() -> None:
    """Each part of a record is found where Lambda puts it."""
    (record,) = source_records(kinesis_event([b"{}"], first=17, shard="shardId-000000000003"))

    assert record.data == "e30="
    assert record.sequence_number == "17"
    assert record.partition_key == "key-0"
    assert record.arrival_time == 1654161514.132
    assert record.arrival_date == "2022-06-02"
    assert record.shard == "shardId-000000000003"
    assert record.stream == "ride_events"


def test_stream_is_named_alike_with_and_without_enhanced_fan_out() -> None:
    """The ARN of a stream's consumer gives the same stream name as the ARN of the stream."""
    names = []
    for suffix in ("", "/consumer/duration:1732600000"):
        (record,) = source_records(kinesis_event([b"{}"], stream=f"rides.v2{suffix}"))
        names.append(record.stream)

    assert names == ["rides.v2", "rides.v2"]


def record_of(payload: bytes | str) -> SourceRecord:
    (record,) = source_records(kinesis_event([payload], first=17, shard="shard-3"))
    return record


def test_user_records_of_a_plain_record_are_itself() -> None:
    """A record that is not aggregated is one user record, with the record's own key and place."""
    (record,) = user_records(record_of(b"{}"))

    assert (record.payload, record.partition_key, record.data) == (b"{}", "key-0", "e30=")
    assert record.position == "shard-3:17"


def test_user_records_of_an_aggregated_record_have_their_own_keys_and_places() -> None:
    """Each user record of an aggregated one has its own payload, key and place."""
    payload = aggregate([("a", b"{}"), ("b", b"[]")])

    first, second = user_records(record_of(payload))

    assert (first.payload, first.partition_key, first.data) == (b"{}", "a", "e30=")
    assert (second.payload, second.partition_key, second.data) == (b"[]", "b", "W10=")
    assert [first.position, second.position] == ["shard-3:17.0", "shard-3:17.1"]


@pytest.mark.parametrize("data", ["not base64!", "e30", "e30=\n", "e30==", "é", "e3 0="])
def test_user_records_bad_base64_is_rejected(data: str) -> None:
    """What is not base64 to the letter is rejected, not decoded as far as it goes."""
    with pytest.raises(Rejected) as caught:
        user_records(record_of(data))

    assert caught.value.reason == Reason.INVALID_BASE64


def test_user_records_broken_aggregate_is_rejected() -> None:
    """A record that begins like an aggregated one, with a wrong checksum, is rejected whole."""
    with pytest.raises(Rejected, match="KPL aggregated record: the checksum") as caught:
        user_records(record_of(aggregate([("a", b"{}")])[:-1]))

    assert caught.value.reason == Reason.INVALID_AGGREGATE


def test_lowest_compares_numbers_not_text() -> None:
    """The lowest sequence number is that of the smallest number."""
    records = source_records(kinesis_event([b""] * 3, first=9))

    assert lowest(records[::-1]).sequence_number == "9"


def _with(path: str, value: Any) -> dict[str, Any]:
    event = kinesis_event([b"{}", b"{}"])
    place = event["Records"][1]
    *parents, name = path.split(".")
    for parent in parents:
        place = place[parent]
    place[name] = value
    return event


def _without(path: str) -> dict[str, Any]:
    event = kinesis_event([b"{}"])
    place = event["Records"][0]
    *parents, name = path.split(".")
    for parent in parents:
        place = place[parent]
    del place[name]
    return event


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, "Records"),
        ({"Records": None}, "Records"),
        (_without("kinesis"), "kinesis"),
        (_without("kinesis.data"), "data"),
        (_without("kinesis.sequenceNumber"), "sequenceNumber"),
        (_without("kinesis.partitionKey"), "partitionKey"),
        (_without("kinesis.approximateArrivalTimestamp"), "approximateArrivalTimestamp"),
        (_without("eventID"), "eventID"),
        (_without("eventSourceARN"), "eventSourceARN"),
    ],
)
def test_source_records_other_event_is_an_error_that_names_the_field(
    event: dict[str, Any], named: str
) -> None:
    """An event that is no Kinesis batch fails with the field; nothing is put in its place."""
    with pytest.raises(EventError, match=named):
        source_records(event)


def test_source_records_beside_one_of_bad_base64_are_as_they_came() -> None:
    """Data that is not base64 is its record's fault alone, and is kept to the letter."""
    bad, good = source_records(kinesis_event(["e30", b"{}"]))

    assert (bad.data, bad.payload, bad.sequence_number) == ("e30", b"", str(FIRST_SEQUENCE_NUMBER))
    assert (good.data, good.payload) == ("e30=", b"{}")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (_with("kinesis", None), "kinesis"),
        (_with("kinesis.data", 5), "data"),
        (_with("kinesis.data", None), "data"),
        (_with("kinesis.sequenceNumber", ""), "sequenceNumber"),
        (_with("kinesis.sequenceNumber", "1" * 130), "sequenceNumber"),
        (
            _with("kinesis.sequenceNumber", "12a"),
            r"Records\[1\]\.kinesis\.sequenceNumber is '12a'; it must be 1 to 129 digits",
        ),
        (_with("kinesis.sequenceNumber", "\u0661\u0662"), "sequenceNumber is"),
        (
            _with("eventID", "x" * 100),
            rf"Records\[1\]\.eventID is '{'x' * 80}'; it must be <shard ID>:<sequence number>",
        ),
        (_with("eventID", 'shard"3:18'), "eventID is 'shard\"3:18'; it must be <shard ID>:"),
        (_with("eventID", "../3:18"), "eventID is '../3:18'; it must be <shard ID>:"),
        (_with("eventID", "\u0661:18"), "eventID is"),
        (_with("eventID", ":18"), "eventID is ':18'"),
        (_with("eventID", f"{'s' * 129}:18"), "eventID is"),
    ],
)
def test_source_records_wrong_value_is_an_error_that_names_its_place(
    event: dict[str, Any], message: str
) -> None:
    """A field that Lambda never fills so is named, with the record that has it."""
    with pytest.raises(EventError, match=message):
        source_records(event)


@pytest.mark.parametrize(
    "event_id", ["shard-3:18", "shard-3:0", "shard-3:118", "shard-3:", "shard-3:a"]
)
def test_position_is_made_of_shard_and_number(event_id: str) -> None:
    """An emulator's own event ID does not make two records one."""
    event = kinesis_event([b"{}", b"{}"], first=17, shard="shard-3")
    event["Records"][1]["eventID"] = event_id

    assert [record.position for record in source_records(event)] == ["shard-3:17", "shard-3:18"]


def test_batch_on_a_shard_of_no_name_is_an_error() -> None:
    """A shard ID is a part of event IDs and of the rejections' keys: nothing else may be there."""
    event = kinesis_event([b"{}", b"{}"], first=17, shard="shard/3")

    with pytest.raises(EventError, match=r"Records\[0\]\.eventID is 'shard/3:17'"):
        source_records(event)


def test_positions_on_two_shards_stay_apart() -> None:
    """A batch that was put together by hand may have records of more than one shard."""
    event = kinesis_event([b"{}", b"{}"], first=17, shard="shard-3")
    event["Records"][1]["eventID"] = "shard-4:18"

    assert [record.position for record in source_records(event)] == ["shard-3:17", "shard-4:18"]
