"""A part of what a stream keeps: from a time or sequence number to another."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.moments import moment
from streams.shard_reader import OLDEST, Page, Start

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import RecordTypeDef


# Digits of a date that is written without dashes; a sequence number has far more.
_DATE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """A time, in seconds since the epoch, or a sequence number of a shard."""

    time: float | None = None
    sequence_number: int | None = None


def bound(text: str) -> Bound:
    """What was typed as a bound.

    Raises:
        argparse.ArgumentTypeError: It is neither an ISO time nor a sequence number.
    """
    if text.isdecimal() and len(text) != _DATE_DIGITS:
        return Bound(sequence_number=int(text))
    try:
        return Bound(time=moment(text))
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; or a sequence number, with its --shard"
        ) from None


@dataclass(frozen=True, slots=True)
class Span:
    """The records from one bound to another.

    Attributes:
        start: The first time or the first record; None is the oldest record that is kept.
        end: The first time that is not meant any more, or the last record that is.
    """

    start: Bound | None
    end: Bound

    @property
    def iterator(self) -> Start:
        """The parameters of GetShardIterator that lead to its start."""
        if self.start is None:
            return OLDEST
        if self.start.time is not None:
            return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self.start.time}
        return {
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "StartingSequenceNumber": str(self.start.sequence_number),
        }

    def part_of(self, page: Page) -> Page:
        """The records of a page that are before the end."""
        return [record for record in page if not self._is_past(record)]

    def ends_before(self, page: Page) -> bool:
        """Whether nothing after this page can be meant."""
        return bool(page) and all(self._is_past(record) for record in page)

    def _is_past(self, record: "RecordTypeDef") -> bool:
        if self.end.time is not None:
            return record["ApproximateArrivalTimestamp"].timestamp() >= self.end.time
        return int(record["SequenceNumber"]) > (self.end.sequence_number or 0)
