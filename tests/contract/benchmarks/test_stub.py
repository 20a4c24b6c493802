"""The stub of Kinesis, without its sockets."""

import json
from typing import Any

import pytest

from benchmarks.stub import answer


def ask(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    head = f"POST / HTTP/1.1\r\nX-Amz-Target: Kinesis_20131202.{operation}\r\n\r\n".encode()
    status, _, body = answer(head, json.dumps(request).encode()).partition(b"\r\n")
    assert status == b"HTTP/1.1 200 OK"
    content: dict[str, Any] = json.loads(body.partition(b"\r\n\r\n")[2])
    return content


@pytest.mark.parametrize("count", [1, 2, 500])
def test_stub_takes_every_entry_of_put_records(count: int) -> None:
    """It answers with a sequence number for each, also of keys that look like requests."""
    entry = {"Data": "e30=", "PartitionKey": '"PartitionKey": "1"'}

    result = ask("PutRecords", {"StreamName": "s", "Records": [entry] * count})

    assert result["FailedRecordCount"] == 0
    assert [each["SequenceNumber"] for each in result["Records"]] == ["1"] * count


def test_stub_takes_the_record_of_put_record() -> None:
    """PutRecord is answered with one sequence number."""
    assert ask("PutRecord", {"PartitionKey": "1", "Data": "e30="})["SequenceNumber"] == "1"
