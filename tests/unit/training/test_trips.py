"""TLC trip files, as they come."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_service.records.ride_events import Ride
from training.examples import Target
from training.training_errors import TripsError
from training.trips import read_trips

NOON = datetime(2021, 1, 1, 12)
LAST = 2**63 - 1  # the last tick that a timestamp can have
MISSING = "a time, a zone or the distance is missing"
SHORT = "shorter than 1 minute"
LONG = "longer than 60 minutes"
NOT_RECORDED = "the tip is not recorded (not paid by credit card)"
NEGATIVE = "distance below 0 miles, now 0: not measured"
FAR = "distance past 40 miles, by the features"
NEGATIVE_TIP = "tip below 0 dollars, now 0"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of rides of 10 minutes, unless columns say otherwise."""

    def write_file(drop: str = "", prefix: str = "lpep", **columns: Any) -> Path:
        rows = max((len(column) for column in columns.values()), default=1)
        table = {
            f"{prefix}_pickup_datetime": [NOON] * rows,
            f"{prefix}_dropoff_datetime": [NOON + timedelta(minutes=10)] * rows,
            "PULocationID": [130] * rows,
            "DOLocationID": [205] * rows,
            "trip_distance": [3.66] * rows,
            "payment_type": [1] * rows,
            "tip_amount": [2.5] * rows,
            "extra": ["?"] * rows,
        } | columns
        table.pop(drop, None)
        pq.write_table(pa.table(table), tmp_path / "trips.parquet")
        return tmp_path / "trips.parquet"

    return write_file


def dropoffs(*minutes: float | None) -> dict[str, Any]:
    times = [None if late is None else NOON + timedelta(minutes=late) for late in minutes]
    return {"lpep_dropoff_datetime": pa.array(times, pa.timestamp("us"))}


@pytest.mark.parametrize("prefix", ["lpep", "tpep"])
def test_read_trips_green_and_yellow_names_are_read(write: Write, prefix: str) -> None:
    """Files of green and of yellow taxis give the same rides."""
    examples, _ = read_trips(write(prefix=prefix), Target.DURATION)

    assert (examples.rides, examples.labels) == ([Ride(130, 205, 3.66)], [10.0])


@pytest.mark.parametrize(
    "zones",
    [
        pa.array(["130"]),
        pa.array(["130.0"], pa.large_string()),
        pa.array([130], pa.int32()),
        pa.array([130.0]),
    ],
    ids=lambda zones: str(zones.type),
)
def test_read_trips_zones_of_any_type_are_integers(write: Write, zones: pa.Array) -> None:
    """Months differ in how they write zone IDs; all become integers."""
    examples, _ = read_trips(write(PULocationID=zones), Target.DURATION)

    assert examples.rides == [Ride(130, 205, 3.66)]
    assert type(examples.rides[0].PULocationID) is int


def test_read_trips_duration_column_is_not_believed(write: Write) -> None:
    """Durations come from the times, whatever another column says."""
    examples, _ = read_trips(write(duration=[99.0]), Target.DURATION)

    assert examples.labels == [10.0]


def test_read_trips_one_to_sixty_minutes_are_kept(write: Write) -> None:
    """Rides of 1 and of 60 minutes are kept, those just outside dropped and counted."""
    second = 1 / 60
    examples, report = read_trips(
        write(**dropoffs(-5, 1 - second, 1, 60, 60 + second)), Target.DURATION
    )

    assert examples.labels == [1.0, 60.0]
    assert report.dropped == {MISSING: 0, SHORT: 2, LONG: 1}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_read_trips_impossible_times_are_dropped(write: Write, unit: str) -> None:
    """Rides whose times are further apart than 64 bits can count are dropped, neighbours kept."""
    noon = pa.scalar(NOON, pa.timestamp(unit)).value
    ten_minutes = pa.scalar(timedelta(minutes=10), pa.duration(unit)).value
    pickups, dropoffs = [-LAST, LAST, noon], [LAST, -LAST, noon + ten_minutes]
    path = write(
        lpep_pickup_datetime=pa.array(pickups, pa.timestamp(unit)),
        lpep_dropoff_datetime=pa.array(dropoffs, pa.timestamp(unit)),
    )
    examples, report = read_trips(path, Target.DURATION)

    assert examples.labels == [10.0]
    assert report.dropped == {MISSING: 0, SHORT: 1, LONG: 1}


@pytest.mark.parametrize(
    "columns",
    [
        dropoffs(None, 10),
        {"PULocationID": [None, 130]},
        {"DOLocationID": [None, "205"]},
        {"trip_distance": [None, 3.66]},
        {"trip_distance": [float("inf"), 3.66]},
        {"trip_distance": [float("nan"), 3.66]},
    ],
)
def test_read_trips_missing_value_is_dropped(write: Write, columns: dict[str, Any]) -> None:
    """A row without a time, a zone or a finite distance is dropped and counted."""
    examples, report = read_trips(write(**columns), Target.DURATION)

    assert examples.rides == [Ride(130, 205, 3.66)]
    assert report.dropped[MISSING] == 1


def test_read_trips_negative_distance_is_not_measured(write: Write) -> None:
    """A negative distance becomes 0, which means that none was measured."""
    examples, report = read_trips(write(trip_distance=[-3.0, 0.0]), Target.DURATION)

    assert [ride.trip_distance for ride in examples.rides] == [0, 0]
    assert report.clipped[NEGATIVE] == 1


def test_read_trips_far_distance_is_left_to_the_features(write: Write) -> None:
    """A distance past 40 miles is counted, and left for the features to clip."""
    examples, report = read_trips(write(trip_distance=[40.0, 100_000.0]), Target.DURATION)

    assert [ride.trip_distance for ride in examples.rides] == [40.0, 100_000.0]
    assert report.clipped[FAR] == 1


def test_read_trips_tip_only_recorded_ones_are_kept(write: Write) -> None:
    """Tips paid in cash, in an unknown way or missing are not recorded, so they are dropped."""
    path = write(payment_type=[1.0, 2.0, None, 1.0], tip_amount=[2.5, 0.0, 3.0, None])
    examples, report = read_trips(path, Target.TIP)

    assert examples.labels == [2.5]
    assert report.dropped[NOT_RECORDED] == 3


def test_read_trips_negative_tip_is_none(write: Write) -> None:
    """A tip that was taken back is no tip."""
    examples, report = read_trips(write(tip_amount=[-1.0]), Target.TIP)

    assert examples.labels == [0.0]
    assert report.clipped[NEGATIVE_TIP] == 1


@pytest.mark.parametrize("column", ["tip_amount", "payment_type"])
def test_read_trips_duration_needs_no_tips(write: Write, column: str) -> None:
    """Durations can be learned from a file without tips; tips cannot."""
    path = write(drop=column)

    assert read_trips(path, Target.DURATION)[0].labels == [10.0]
    with pytest.raises(TripsError, match=f"there is no column {column}"):
        read_trips(path, Target.TIP)


@pytest.mark.parametrize(
    ("column", "values", "found", "allowed"),
    [
        ("lpep_pickup_datetime", ["12:00"], "holds string", "timestamps without a time zone"),
        ("PULocationID", [True], "holds bool", "TLC zone IDs"),
        ("PULocationID", ["Harlem"], "holds 'Harlem'", "TLC zone IDs"),
        ("DOLocationID", [130.5], "holds 130.5", "TLC zone IDs"),
        ("DOLocationID", [float("inf")], "holds inf", "TLC zone IDs"),
        ("DOLocationID", [2**40], f"holds {2**40}", "TLC zone IDs"),
        ("trip_distance", ["3.66"], "holds string", "numbers"),
        ("trip_distance", pa.nulls(1), "holds null", "numbers"),
    ],
)
def test_read_trips_wrong_type_is_named(
    write: Write, column: str, values: Any, found: str, allowed: str
) -> None:
    """The error names file, column, what it holds and what it must hold."""
    with pytest.raises(TripsError) as caught:
        read_trips(write(**{column: values}), Target.DURATION)

    message = str(caught.value)
    assert f"trips.parquet: {column} {found}; it must hold {allowed}" in message


def test_read_trips_missing_column_is_named(write: Write) -> None:
    """The error names the column in both spellings, and the columns that there are."""
    with pytest.raises(
        TripsError, match=r"no column lpep_pickup_datetime or tpep_pickup_datetime.*PULocationID"
    ):
        read_trips(write(drop="lpep_pickup_datetime"), Target.DURATION)


@pytest.mark.parametrize("content", [None, b"PULocationID,DOLocationID\n130,205\n"])
def test_read_trips_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, or not Parquet, is named."""
    path = tmp_path / "trips.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(TripsError, match=r"trips\.csv: cannot be read as a Parquet file"):
        read_trips(path, Target.DURATION)


def test_read_trips_damaged_column_name_is_named(write: Write) -> None:
    """A column name that is not text is reported as damage to the file, not as a traceback."""
    path = write()
    path.write_bytes(path.read_bytes().replace(b"extra", b"ext\xffa"))

    with pytest.raises(TripsError, match=r"trips\.parquet: cannot be read as a Parquet file"):
        read_trips(path, Target.DURATION)


def test_report_says_every_rule(write: Write) -> None:
    """The report has the file's name, and a line for each rule, also for those that did nothing."""
    _, report = read_trips(write(trip_distance=[3.66, -1.0, None]), Target.DURATION)

    assert str(report).splitlines() == [
        "trips.parquet: 3 rows",
        "  dropped         1  a time, a zone or the distance is missing",
        "  dropped         0  shorter than 1 minute",
        "  dropped         0  longer than 60 minutes",
        "  clipped         1  distance below 0 miles, now 0: not measured",
        "  clipped         0  distance past 40 miles, by the features",
        "  kept            2",
    ]


def test_report_of_a_file_without_rows_has_every_rule(write: Write) -> None:
    """A file without rows is read, and each of its counts is 0."""
    no_times, no_numbers = pa.array([], pa.timestamp("us")), pa.array([], pa.float64())
    path = write(
        lpep_pickup_datetime=no_times,
        lpep_dropoff_datetime=no_times,
        **dict.fromkeys(("PULocationID", "DOLocationID"), pa.array([], pa.string())),
        **dict.fromkeys(("trip_distance", "payment_type", "tip_amount", "extra"), no_numbers),
    )
    _, report = read_trips(path, Target.DURATION)

    assert (report.rows, report.kept) == (0, 0)
    assert report.dropped == {MISSING: 0, SHORT: 0, LONG: 0}
    assert report.clipped == {NEGATIVE: 0, FAR: 0}


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-600, 8_000),
            st.none() | st.integers(1, 265),
            st.none() | st.floats(-1e6, 1e6) | st.just(float("nan")),
            st.none() | st.integers(0, 6),
            st.none() | st.floats(-5, 100),
        ),
        max_size=30,
    ),
    st.sampled_from(Target),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_read_trips_every_row_is_kept_or_counted_once(
    write: Write, rows: list[tuple[Any, ...]], target: Target
) -> None:
    """Whatever the rows hold, each is kept or dropped by one rule, and what is kept is usable."""
    seconds, zones, miles, payments, tips = zip(*rows, strict=True) if rows else [()] * 5
    path = write(
        lpep_pickup_datetime=pa.array([NOON] * len(rows), pa.timestamp("us")),
        **dropoffs(*(None if late is None else late / 60 for late in seconds)),
        PULocationID=pa.array(zones, pa.int64()),
        DOLocationID=pa.array([205] * len(rows), pa.int64()),
        trip_distance=pa.array(miles, pa.float64()),
        payment_type=pa.array(payments, pa.int64()),
        tip_amount=pa.array(tips, pa.float64()),
        extra=pa.nulls(len(rows)),
    )
    examples, report = read_trips(path, target)

    assert report.rows == len(rows) == report.kept + sum(report.dropped.values())
    assert len(examples.rides) == len(examples.labels) == report.kept
    assert all(ride.trip_distance >= 0 for ride in examples.rides)
    lowest, highest = (1, 60) if target is Target.DURATION else (0, 100)
    assert all(lowest <= label <= highest for label in examples.labels)
