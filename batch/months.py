"""Which months there are: TLC publishes a file a taxi type and month, and names it so."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from batch.batch_errors import TripsError, UsageError

_NAME = re.compile(r"(green|yellow)_tripdata_(\d{4})-(0[1-9]|1[0-2])\.parquet", re.ASCII)
# Files that a message names: a slip in a year is thousands of months.
_MOST_NAMED = 24
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar."""

    year: int
    month: int

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """Read a month as `2021-01`.

        Args:
            name: The option or field that it was given by, for the message.
            text: What was given.

        Raises:
            UsageError: It is not written so.
        """
        match = _MONTH.fullmatch(text)
        if match is None:
            raise UsageError(f"{name}={text!r} is not a month; it must be written as 2021-01")
        return cls(int(match[1]), int(match[2]))

    def next(self) -> "Month":
        """The month after this one."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True, order=True)
class TripFile:
    """One of TLC's files."""

    taxi: str
    month: Month

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The file of that name; None if TLC would not call it so."""
        match = _NAME.fullmatch(name)
        return cls(match[1], Month(int(match[2]), int(match[3]))) if match else None

    @property
    def name(self) -> str:
        """As TLC calls it."""
        return f"{self.taxi}_tripdata_{self.month}.parquet"

    @property
    def key(self) -> str:
        """Where it is scored to, in the output's folder: partitions as Hive and Spark name them."""
        month = self.month
        return f"taxi_type={self.taxi}/year={month.year}/month={month.month}/{self.name}"

    @property
    def ride_prefix(self) -> str:
        """What the ride IDs of this file begin with; the number of the row, from 0, comes next."""
        return f"{self.taxi}-{self.month}-"


def choose(
    names: Iterable[str], where: str, first: Month | None = None, last: Month | None = None
) -> list[TripFile]:
    """The files to score, in the order of taxi type and month.

    Args:
        names: What there is.
        where: For the message.
        first: No month before this one.
        last: No month after this one. With a first or a last month, every month must be there.

    Raises:
        UsageError: The last month is before the first.
        TripsError: There is no file, or some months are missing; the message names them, up to two
            years of them.
    """
    if first is not None and last is not None and last < first:
        raise UsageError(f"the months end with {last}, before they begin with {first}")
    found = sorted(file for name in names if (file := TripFile.parse(name)))
    chosen = [
        file
        for file in found
        if (first is None or file.month >= first) and (last is None or file.month <= last)
    ]
    if first is not None or last is not None:
        _require_every_month(found, chosen, where, first, last)
    if not chosen:
        raise TripsError(
            f"{where} holds no file to score; TLC calls them green_tripdata_2021-01.parquet or "
            "yellow_tripdata_2021-01.parquet"
        )
    return chosen


def _require_every_month(
    found: Sequence[TripFile],
    chosen: Sequence[TripFile],
    where: str,
    first: Month | None,
    last: Month | None,
) -> None:
    missing = [
        file.name
        for taxi in sorted({file.taxi for file in found})
        for file in _wanted(taxi, [file for file in found if file.taxi == taxi], first, last)
        if file not in chosen
    ]
    if missing:
        named = ", ".join(missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise TripsError(f"{where} lacks {named}{more}; add them, or choose other months")


def _wanted(
    taxi: str, found: Sequence[TripFile], first: Month | None, last: Month | None
) -> Iterable[TripFile]:
    """The files of the span; an end that is not given is that of what was found."""
    month, end = first or found[0].month, last or found[-1].month
    while month <= end:
        yield TripFile(taxi, month)
        month = month.next()
