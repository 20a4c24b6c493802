"""Where decisions go: onto a stream, by the same PutRecords that loses nothing."""

from collections.abc import Mapping
from typing import Protocol

from decision_service.arrivals import key_of
from streams.deadline import Deadline
from streams.records import source_records
from streams.writer import Entry, PredictionSink

# An entry names the record that it answers, by which entries of one key keep their order. Of
# decisions there is one a key, and of those that were waited for no record.
(_NO_RECORD,) = source_records(
    {
        "Records": [
            {
                "kinesis": {
                    "data": "",
                    "partitionKey": "-",
                    "sequenceNumber": "0",
                    "approximateArrivalTimestamp": 0,
                },
                "eventID": "-:0",
                "eventSourceARN": "-",
            }
        ]
    }
)


class DecisionSink(Protocol):
    """Takes decision events by the texts of their keys."""

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        ...


class DecisionStream:
    """Puts decision events onto a stream under the partition key `str(key)`.

    Args:
        stream: Such as `streams.writer.PredictionStream`.
    """

    def __init__(self, stream: PredictionSink) -> None:
        self._stream = stream

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        entries = {
            key: Entry(_NO_RECORD, str(key_of(key)), decision.encode())
            for key, decision in decisions.items()
        }
        unsent = {id(entry) for entry in self._stream.put(list(entries.values()), deadline)}
        return {key for key, entry in entries.items() if id(entry) not in unsent}
