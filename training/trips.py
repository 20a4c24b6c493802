"""TLC trip files -> examples, and a report of every row that is not kept as it is.

The columns are those of TLC's data dictionaries for green (LPEP) and yellow trip records.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from model_service.events import Ride
from model_service.features import MAX_DISTANCE_MILES
from training.errors import TripsError
from training.examples import MAX_MINUTES, MIN_MINUTES, Examples, Target

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


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a column may hold."""

    fits: Callable[[pa.DataType], bool]
    allowed: str


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is needed; the first of its TLC names that a file has is read."""

    name: str
    tlc_names: tuple[str, ...]
    kind: _Kind


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _is_zone(kind: pa.DataType) -> bool:
    return _is_number(kind) or types.is_string(kind) or types.is_large_string(kind)


def _is_time(kind: pa.DataType) -> bool:
    return types.is_timestamp(kind) and kind.tz is None


_TIME = _Kind(_is_time, "timestamps without a time zone")
_ZONE = _Kind(_is_zone, "TLC zone IDs: whole numbers, as integers, floats or strings")
_NUMBER = _Kind(_is_number, "numbers")

_RIDE_COLUMNS = (
    _Column("pickup", ("lpep_pickup_datetime", "tpep_pickup_datetime"), _TIME),
    _Column("dropoff", ("lpep_dropoff_datetime", "tpep_dropoff_datetime"), _TIME),
    _Column("start", ("PULocationID",), _ZONE),
    _Column("end", ("DOLocationID",), _ZONE),
    _Column("miles", ("trip_distance",), _NUMBER),
)
_TIP_COLUMNS = (
    _Column("tip", ("tip_amount",), _NUMBER),
    _Column("payment", ("payment_type",), _NUMBER),
)


def read_trips(path: Path, target: Target) -> tuple[Examples, Report]:
    """Read the examples of one Parquet file.

    Durations are computed from the times. Rides of 1 to 60 minutes are kept; for tips, those
    that were paid by credit card. Negative distances become 0, "not measured".

    Raises:
        TripsError: The file cannot be read, or a column is missing or holds something else; the
            message names file, column, what is there and what is allowed.
    """
    columns = _RIDE_COLUMNS if target is Target.DURATION else _RIDE_COLUMNS + _TIP_COLUMNS
    trips = _read_columns(path, columns)
    trips["minutes"] = (trips["dropoff"] - trips["pickup"]).dt.total_seconds() / 60
    kept, dropped = _drop(trips, target)
    clipped = _clip(kept, target)
    return _examples(path.name, kept, target), Report(
        path.name, len(trips), dropped, clipped, len(kept)
    )


def _read_columns(path: Path, columns: tuple[_Column, ...]) -> pd.DataFrame:
    try:
        with pq.ParquetFile(path) as file:
            names = [_find(column, file.schema_arrow, path) for column in columns]
            # The metadata may turn a column into the index.
            trips = file.read(columns=names).select(names).to_pandas(ignore_metadata=True)
    except (OSError, pa.ArrowException) as error:
        raise TripsError(f"{path}: cannot be read as a Parquet file: {error}") from error
    trips.columns = [column.name for column in columns]
    for column, name in zip(columns, names, strict=True):
        if column.kind is not _TIME:
            trips[column.name] = _numbers(trips[column.name], f"{path}: {name}", column.kind)
    return trips


def _find(column: _Column, schema: pa.Schema, path: Path) -> str:
    for name in column.tlc_names:
        if name in schema.names:
            kind = schema.field(name).type
            if not column.kind.fits(kind):
                raise TripsError(f"{path}: {name} holds {kind}; it must hold {column.kind.allowed}")
            return name
    raise TripsError(
        f"{path}: there is no column {' or '.join(column.tlc_names)}, which must hold "
        f"{column.kind.allowed}; there are {', '.join(schema.names) or 'none'}"
    )


def _numbers(values: pd.Series, where: str, kind: _Kind) -> pd.Series:
    """Floats; what is missing or not finite is NaN."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    if kind is _ZONE:
        wrong = values.notna() & ((numbers % 1 != 0) | (numbers.abs() >= _INTEGER_LIMIT))
        if wrong.any():
            found = values[wrong].tolist()[0]
            raise TripsError(f"{where} holds {found!r}; it must hold {kind.allowed}")
    return numbers.replace([np.inf, -np.inf], np.nan)


def _drop(trips: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, dict[str, int]]:
    """What no rule drops, and how many rows each rule dropped, counted by the first that does."""
    rules = {
        "a time, a zone or the distance is missing": trips[
            [column.name for column in _RIDE_COLUMNS]
        ]
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
