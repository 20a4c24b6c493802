"""What is written of a record that can never succeed."""

from collections.abc import Sequence

from model_service.deadline import Deadline
from model_service.events import Reason, Rejection, RejectionSource
from model_service.kinesis import SourceRecord, UserRecord
from model_service.sinks import RejectionSink


def store_rejections(
    rejected: Sequence[tuple[UserRecord, Reason, str]],
    batch: Sequence[SourceRecord],
    sink: RejectionSink,
    deadline: Deadline,
    *,
    model: str,
    version: str,
) -> list[SourceRecord]:
    """Store what a batch has of records that can never succeed.

    Args:
        rejected: They, each with its reason and a detail.
        batch: All records of the batch.
        sink: Takes the rejections; it is not called without one.
        deadline: When to stop.
        model: Who rejects.
        version: The same.

    Returns:
        The records that are to come again: those of all of them if they could not be stored.
    """
    if not rejected:
        return []
    rejections = [_rejection_of(*each, model, version) for each in rejected]
    if sink.put(rejections, batch, deadline):
        return []
    return [record.source for record, *_ in rejected]


def _rejection_of(
    record: UserRecord, reason: Reason, detail: str, model: str, version: str
) -> Rejection:
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
