"""TLC trip files -> examples, and a report of every row that is not kept as it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from model_service.events import Ride
from model_service.features import MAX_DISTANCE_MILES
from tlc.columns import RIDE_COLUMNS, TIME, TIP_COLUMNS, ZONE, Column, ColumnError, Kind, find
from tlc.durations import MAX_MINUTES, MIN_MINUTES
from training.errors import TripsError
from training.examples import Examples, Target

# Data dictionary, payment_type. The tips of rides that are paid in another way are not recorded.
CREDIT_CARD = 1

_INTEGER_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Report:
    """How many rows of a file each rule dropped or clipped; every row is kept or dropped once."""

    file: str
    rows: int
    dropped: dict[str, int]
    clipped: dict[str, int]
    kept: int

    def __str__(self) -> str:
        counts = [
            *(("dropped", count, rule) for rule, count in self.dropped.items()),
            *(("clipped", count, rule) for rule, count in self.clipped.items()),
            ("kept", self.kept, ""),
        ]
        lines = [f"  {what:7} {count:9}  {rule}".rstrip() for what, count, rule in counts]
        return "\n".join([f"{self.file}: {self.rows} rows", *lines])


def read_trips(path: Path, target: Target) -> tuple[Examples, Report]:
    """Read the examples of one Parquet file.

    Durations are computed from the times. Rides of 1 to 60 minutes are kept; for tips, those
    that were paid by credit card. Negative distances become 0, "not measured".

    Raises:
        TripsError: The file cannot be read, or a column is missing or holds something else; the
            message names file, column, what is there and what is allowed.
    """
    columns = RIDE_COLUMNS if target is Target.DURATION else RIDE_COLUMNS + TIP_COLUMNS
    trips = _read_columns(path, columns)
    trips["minutes"] = (trips["dropoff"] - trips["pickup"]).dt.total_seconds() / 60
    kept, dropped = _drop(trips, target)
    clipped = _clip(kept, target)
    return _examples(path.name, kept, target), Report(
        path.name, len(trips), dropped, clipped, len(kept)
    )


def _read_columns(path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            names = [find(column, file.schema_arrow, str(path)) for column in columns]
            # The metadata may turn a column into the index.
            trips = file.read(columns=names).select(names).to_pandas(ignore_metadata=True)
    except ColumnError as error:
        raise TripsError(str(error)) from None
    except (OSError, pa.ArrowException) as error:
        raise TripsError(f"{path}: cannot be read as a Parquet file: {error}") from error
    trips.columns = [column.name for column in columns]
    for column, name in zip(columns, names, strict=True):
        if column.kind is not TIME:
            trips[column.name] = _numbers(trips[column.name], f"{path}: {name}", column.kind)
    return trips


def _numbers(values: pd.Series, where: str, kind: Kind) -> pd.Series:
    """Floats; what is missing or not finite is NaN."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    if kind is ZONE:
        wrong = values.notna() & ((numbers % 1 != 0) | (numbers.abs() >= _INTEGER_LIMIT))
        if wrong.any():
            found = values[wrong].tolist()[0]
            raise TripsError(f"{where} holds {found!r}; it must hold {kind.allowed}")
    return numbers.replace([np.inf, -np.inf], np.nan)


def _drop(trips: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, dict[str, int]]:
    """What no rule drops, and how many rows each rule dropped, counted by the first that does."""
    rules = {
        "a time, a zone or the distance is missing": trips[[column.name for column in RIDE_COLUMNS]]
        .isna()
        .any(axis=1),
        f"shorter than {MIN_MINUTES:g} minute": trips["minutes"] < MIN_MINUTES,
        f"longer than {MAX_MINUTES:g} minutes": trips["minutes"] > MAX_MINUTES,
    }
    if target is Target.TIP:
        is_recorded = (trips["payment"] == CREDIT_CARD) & trips["tip"].notna()
        rules["the tip is not recorded (not paid by credit card)"] = ~is_recorded
    dropped, kept = {}, pd.Series(True, index=trips.index)
    for rule, breaks in rules.items():
        dropped[rule] = int((kept & breaks).sum())
        kept &= ~breaks
    return trips[kept].copy(), dropped


def _clip(trips: pd.DataFrame, target: Target) -> dict[str, int]:
    """Clip in place; how many rows each rule clipped."""
    clipped = {"distance below 0 miles, now 0: not measured": int((trips["miles"] < 0).sum())}
    trips["miles"] = trips["miles"].clip(lower=0)
    # Not here but by the features, for training and serving alike.
    clipped[f"distance past {MAX_DISTANCE_MILES:g} miles, by the features"] = int(
        (trips["miles"] > MAX_DISTANCE_MILES).sum()
    )
    if target is Target.TIP:
        clipped["tip below 0 dollars, now 0"] = int((trips["tip"] < 0).sum())
        trips["tip"] = trips["tip"].clip(lower=0)
    return clipped


def _examples(source: str, trips: pd.DataFrame, target: Target) -> Examples:
    starts, ends = (trips[zone].astype(int).tolist() for zone in ("start", "end"))
    rides = [Ride(*ride) for ride in zip(starts, ends, trips["miles"].tolist(), strict=True)]
    label = "minutes" if target is Target.DURATION else "tip"
    return Examples(source, rides, trips[label].tolist())
