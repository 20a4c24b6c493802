"""Stand-ins for tests, yours included: streams and stores in memory, a model that is a function."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
Answer = Callable[[Sequence[Json]], Json]

FIRST_SEQUENCE_NUMBER = 49630081666084879290581185630324770398608704880802529282


def accept(entries: Sequence[Json]) -> Json:
    """A PutRecords answer that takes every entry."""
    return refuse()(entries)


def refuse(*positions: int, code: str = "ProvisionedThroughputExceededException") -> Answer:
    """A PutRecords answer that refuses the entries at these positions."""

    def answer(entries: Sequence[Json]) -> Json:
        results = [
            {"ErrorCode": code, "ErrorMessage": "refused"}
            if place in positions
            else {"SequenceNumber": str(place), "ShardId": "shardId-000000000000"}
            for place in range(len(entries))
        ]
        return {"FailedRecordCount": len(positions), "Records": results}

    return answer


def fail(error: Exception) -> Answer:
    """A PutRecords call that raises."""

    def answer(entries: Sequence[Json]) -> Json:
        raise error

    return answer


class FakeKinesis:
    """Kinesis' PutRecords in memory.

    Args:
        answers: What the calls answer, in turn; from then on, each entry is taken.

    Attributes:
        calls: The entries of every call.
        records: The entries that were taken.
    """

    def __init__(self, answers: Iterable[Answer] = ()) -> None:
        self._answers = iter(answers)
        self.calls: list[Sequence[Json]] = []
        self.records: list[Json] = []

    def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
        """Put entries, as boto3 does."""
        self.calls.append(Records)
        answer = next(self._answers, accept)(Records)
        self.records += [
            entry
            for entry, result in zip(Records, answer["Records"], strict=False)
            if result.get("SequenceNumber")
        ]
        return answer

    @property
    def events(self) -> list[Any]:
        """The JSON of the records that were taken."""
        return [json.loads(record["Data"]) for record in self.records]


class FakeS3:
    """S3's PutObject in memory.

    Attributes:
        objects: Content by key.
        error: What the next calls raise; None lets them through.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.error = error

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Json:
        """Write one object, as boto3 does."""
        if self.error is not None:
            raise self.error
        self.objects[Key] = Body
        return {}

    @property
    def lines(self) -> list[Any]:
        """The JSON of every line of every object."""
        return [json.loads(line) for body in self.objects.values() for line in body.splitlines()]


def kinesis_event(
    payloads: Sequence[bytes | str],
    *,
    first: int = FIRST_SEQUENCE_NUMBER,
    stream: str = "ride_events",
    shard: str = "shardId-000000000000",
) -> dict[str, Any]:
    """A Kinesis event as Lambda delivers it.

    Args:
        payloads: One record each: bytes are encoded in base64, text is put in as it is.
        first: Sequence number of the first record; the others follow it.
        stream: Name of the stream.
        shard: ID of the shard.
    """
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": f"key-{place}",
                    "sequenceNumber": str(first + place),
                    "data": payload
                    if isinstance(payload, str)
                    else base64.b64encode(payload).decode(),
                    "approximateArrivalTimestamp": 1654161514.132,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard}:{first + place}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-kinesis-role",
                "awsRegion": "eu-west-1",
                "eventSourceARN": f"arn:aws:kinesis:eu-west-1:123456789012:stream/{stream}",
            }
            for place, payload in enumerate(payloads)
        ]
    }
