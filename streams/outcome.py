"""What becomes of the records of one invocation, for every service that reads a stream."""

from collections import Counter
from collections.abc import Iterator, Mapping
from logging import Logger
from typing import Any

from streams.deadline import Deadline
from streams.errors import Reason, Rejected
from streams.records import (
    BatchResponse,
    SourceRecord,
    UserRecord,
    item_failures,
    source_records,
    user_records,
)
from streams.rejections import RejectionSink, rejection_of


class Outcome:
    """The records of one invocation, and which of them were rejected or are unfinished.

    Args:
        event: A batch of Kinesis records, as Lambda delivers it.

    Attributes:
        records: The records that Lambda delivered.
        rejected: User records that can never succeed, with reason and detail.
        unfinished: Records that Lambda has to deliver again.

    Raises:
        EventError: The event is not a batch of Kinesis records.
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.records = source_records(event)
        self.rejected: list[tuple[UserRecord, Reason, str]] = []
        self.unfinished: list[SourceRecord] = []

    def user_records(self) -> Iterator[UserRecord]:
        """Yield the user records, and reject records that cannot be deaggregated."""
        for record in self.records:
            try:
                yield from user_records(record)
            except Rejected as rejected:
                self.reject(record, rejected.reason, rejected.detail)

    def reject(self, record: UserRecord, reason: Reason, detail: str) -> None:
        """Note a user record that can never succeed."""
        self.rejected.append((record, reason, detail))

    def store_rejections(
        self, sink: RejectionSink, deadline: Deadline, *, model: str, version: str
    ) -> None:
        """Store the rejections. If that fails, their records are unfinished.

        Args:
            sink: Takes the rejections; it is not called without any.
            deadline: When to stop.
            model: Name of the model or policy that rejects.
            version: Its version.
        """
        rejections = [rejection_of(*each, model, version) for each in self.rejected]
        if rejections and not sink.put(rejections, self.records, deadline):
            self.unfinished += [record.source for record, *_ in self.rejected]

    def log_rejections(self, logger: Logger) -> None:
        """Log how many records were rejected for each reason; payloads stay out of the log."""
        for reason, count in Counter(reason for _, reason, _ in self.rejected).items():
            logger.warning("rejected %d records: %s", count, reason)

    @property
    def unfinished_records(self) -> int:
        """How many records Lambda has to deliver again."""
        return len({record.sequence_number for record in self.unfinished})

    def response(self) -> BatchResponse:
        """Return the partial batch response."""
        return {"batchItemFailures": item_failures(self.unfinished)}
