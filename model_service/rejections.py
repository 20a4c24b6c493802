"""What is written of a record that can never succeed."""

from model_service.events import Reason, Rejection, RejectionSource
from model_service.kinesis import UserRecord


def rejection_of(
    record: UserRecord, reason: Reason, detail: str, model: str, version: str
) -> Rejection:
    """The rejection of a record, by a model of some version."""
    return Rejection(
        reason=reason,
        detail=_writable(detail),
        source=RejectionSource(
            stream=record.source.stream,
            shard=record.source.shard,
            sequence_number=record.source.sequence_number,
            sub_sequence_number=record.sub_sequence_number,
            # Half of a surrogate pair cannot be written; a key with one is spelt out.
            partition_key=_writable(record.partition_key),
            arrival_time=record.source.arrival_time,
        ),
        model=model,
        version=version,
        data=_writable(record.data),
    )


def _writable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
