"""Lambda function: an alarm for each temperature reading above the limit."""

import base64
import json
import os
from typing import Any

import boto3

ALARMS_STREAM = os.environ["ALARMS_STREAM"]
LIMIT_CELSIUS = float(os.environ["LIMIT_CELSIUS"])

kinesis = boto3.client("kinesis")


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Put alarms, in order; at the first reading that fails, have Lambda go on from there."""
    for record in event["Records"]:
        try:
            _check(json.loads(base64.b64decode(record["kinesis"]["data"])))
        except Exception as error:  # a bad reading, or a put that failed
            number = record["kinesis"]["sequenceNumber"]
            print(f"record {number}: {type(error).__name__}: {error}")  # noqa: T201 - Lambda's log
            return {"batchItemFailures": [{"itemIdentifier": number}]}
    return {"batchItemFailures": []}


def _check(reading: dict[str, Any]) -> None:
    sensor, celsius = str(reading["sensor"]), float(reading["celsius"])
    if celsius > LIMIT_CELSIUS:
        alarm = json.dumps({"sensor": sensor, "celsius": celsius}).encode()
        kinesis.put_record(StreamName=ALARMS_STREAM, Data=alarm, PartitionKey=sensor)
