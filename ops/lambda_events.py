"""Records in the shape in which Lambda hands them over, made of what else is known of them."""

import base64
from typing import TYPE_CHECKING, Any

from streams.records import SourceRecord, source_records
from streams.rejections import RejectionSource

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import RecordTypeDef

# Of an ARN, the service reads the stream's name; the rest is not known here.
_ARN = "arn:aws:kinesis:::stream/"


def lambda_record(stream: str, shard: str, record: "RecordTypeDef") -> dict[str, Any]:
    """A record of GetRecords as an element of an invocation's `Records`."""
    return {
        "kinesis": {
            "data": base64.b64encode(record["Data"]).decode(),
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventSourceARN": f"{_ARN}{stream}",
    }


def source_record(source: RejectionSource, data: str) -> SourceRecord:
    """The source record that a failure was, with its data in base64.

    Raises:
        EventError: A value is one that no record of a stream has.
    """
    payload = {
        "data": data,
        "partitionKey": source.partition_key,
        "sequenceNumber": source.sequence_number,
        "approximateArrivalTimestamp": source.arrival_time,
    }
    record = {
        "kinesis": payload,
        "eventID": f"{source.shard}:{source.sequence_number}",
        "eventSourceARN": f"{_ARN}{source.stream}",
    }
    (made,) = source_records({"Records": [record]})
    return made
