"""TLC trip files -> examples, and a report of every row that is not kept as it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model_service.records.features import MAX_DISTANCE_MILES
from model_service.records.ride_events import Ride
from tlc import MAX_MINUTES, MIN_MINUTES
from tlc.columns import NUMBER, RIDE_COLUMNS, TIP_COLUMNS, ZONE, Column, TripFileError
from tlc.trip_reader import TripReader
from tlc.trip_values import floats, ride_minutes, zones
from training.examples import Examples, Target
from training.training_errors import TripsError

# Data dictionary, payment_type. The tips of rides that are paid in another way are not recorded.
CREDIT_CARD = 1

_INTEGER_LIMIT = 2**31

_Floats = NDArray[np.float64]
# Columns by name; a missing value is NaN.
_Trips = dict[str, _Floats]


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
        TripsError: The file cannot be read, or a column is missing or has a wrong value; the
            message names the file, the column, the value and the allowed values.
    """
    columns = RIDE_COLUMNS if target is Target.DURATION else RIDE_COLUMNS + TIP_COLUMNS
    trips = _read_columns(path, columns)
    is_kept, dropped = _drop(trips, target)
    kept = {name: values[is_kept] for name, values in trips.items()}
    clipped = _clip(kept, target)
    examples = _examples(path.name, kept, target)
    return examples, Report(path.name, len(is_kept), dropped, clipped, len(examples.rides))


def _read_columns(path: Path, columns: tuple[Column, ...]) -> _Trips:
    try:
        with TripReader(path, str(path), columns) as reader:
            rows = reader.read()
    except TripFileError as error:
        raise TripsError(str(error)) from None
    trips = {"minutes": ride_minutes(rows["pickup"], rows["dropoff"])}
    for column in columns:
        if column.kind is ZONE:
            trips[column.name] = _zones(rows[column.name], column, path)
        elif column.kind is NUMBER:
            trips[column.name] = floats(rows[column.name])
    return trips


def _zones(values: pa.Array, column: Column, path: Path) -> _Floats:
    """Return zones as floats, so that a missing zone can be NaN."""
    ids, is_zone = zones(values)
    is_zone &= (ids > -_INTEGER_LIMIT) & (ids < _INTEGER_LIMIT)
    is_missing = pc.is_null(values, nan_is_null=True).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(~is_zone & ~is_missing)
    if len(wrong):
        raise TripsError(
            f"{path}: {column.tlc_names[0]} holds {values[int(wrong[0])].as_py()!r}; "
            f"it must hold {column.kind.allowed}"
        )
    return np.where(is_zone, ids, np.nan)


def _drop(trips: _Trips, target: Target) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Mark the rows to keep, and count the dropped rows by the first rule that drops each."""
    needed = [np.isfinite(trips[name]) for name in ("minutes", "start", "end", "miles")]
    rules = {
        "a time, a zone or the distance is missing": ~np.logical_and.reduce(needed),
        f"shorter than {MIN_MINUTES:g} minute": trips["minutes"] < MIN_MINUTES,
        f"longer than {MAX_MINUTES:g} minutes": trips["minutes"] > MAX_MINUTES,
    }
    if target is Target.TIP:
        is_recorded = (trips["payment"] == CREDIT_CARD) & np.isfinite(trips["tip"])
        rules["the tip is not recorded (not paid by credit card)"] = ~is_recorded
    dropped, is_kept = {}, np.full(len(trips["minutes"]), True)
    for rule, breaks in rules.items():
        dropped[rule] = int(np.count_nonzero(is_kept & breaks))
        is_kept &= ~breaks
    return is_kept, dropped


def _clip(trips: _Trips, target: Target) -> dict[str, int]:
    """Clip in place, and count the clipped rows by rule."""
    clipped = {"distance below 0 miles, now 0: not measured": _clip_at_0(trips, "miles")}
    # The features clip this, in training and in serving.
    clipped[f"distance past {MAX_DISTANCE_MILES:g} miles, by the features"] = int(
        np.count_nonzero(trips["miles"] > MAX_DISTANCE_MILES)
    )
    if target is Target.TIP:
        clipped["tip below 0 dollars, now 0"] = _clip_at_0(trips, "tip")
    return clipped


def _clip_at_0(trips: _Trips, name: str) -> int:
    below = trips[name] < 0
    trips[name][below] = 0
    return int(np.count_nonzero(below))


def _examples(source: str, trips: _Trips, target: Target) -> Examples:
    starts, ends = (trips[zone].astype(int).tolist() for zone in ("start", "end"))
    rides = [Ride(*ride) for ride in zip(starts, ends, trips["miles"].tolist(), strict=True)]
    label = "minutes" if target is Target.DURATION else "tip"
    return Examples(source, rides, trips[label].tolist())
