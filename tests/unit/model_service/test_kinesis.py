from typing import Any

import pytest

from model_service.errors import EventError
from model_service.fakes import kinesis_event
from model_service.kinesis import lowest, source_records


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


def test_source_records_empty_batch_is_empty() -> None:
    """No records are no error."""
    assert source_records({"Records": []}) == []


def test_lowest_compares_numbers_not_text() -> None:
    """The lowest sequence number is that of the smallest number."""
    records = source_records(kinesis_event([b""] * 3, first=9))

    assert lowest(records[::-1]).sequence_number == "9"


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
