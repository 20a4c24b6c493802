"""A year of trip files: scored by the file and ride by ride; memory month by month.

The months are drawn at random from a folder of real files (--trips), or from synthetic rides. Both
ways read the same Parquet files and write their predictions. After each month's file, some of its
rides are predicted one by one.
"""

import argparse
import re
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from batch.job import score_file
from batch.months import Month, TripFile
from batch.places import LocalSource, LocalTarget
from batch.scorer import Scorer
from model_service.models.loading import load_model
from model_service.models.predictors import Predictor, load_predictor
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from model_service.settings import Settings
from training.synthetic import synthetic_rides

MONTHS = [TripFile("green", Month(2021, month)) for month in range(1, 13)]
ALONE = 2000  # rides of a month that are predicted one by one
GAPS = 0.002  # share of rides without a drop-off zone
TRAINED = 40_000


def main() -> None:
    """Make a year, measure, and print a line for each month and for each way."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In another process, whose memory does not count.
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            year = other.submit(_make_year, options.trips, options.rides, folder / "trips")
            model = other.submit(_train, folder / "model")
            year.result()
            _measure(folder / "trips", folder / "scored", *model.result())


def _measure(trips: Path, scored: Path, model_folder: Path, without_twin: Path) -> None:
    model = load_model(Settings.from_environ({"MODEL_LOCATION": str(model_folder)}))
    sklearn = load_predictor(without_twin, trusted=False)
    scorer = Scorer(model)
    source, target = LocalSource(trips), LocalTarget(scored)
    whole, alone, plain = [], [], []
    for file in MONTHS:
        _peak_mib()
        start = time.perf_counter()
        outcome = score_file(source, target, file, scorer, lambda done, of: None)  # noqa: ARG005
        whole.append(outcome.account.rows / (time.perf_counter() - start))
        peak = _peak_mib()
        alone.append(_ride_by_ride(trips / file.name, scored, model.predictor))
        plain.append(_ride_by_ride(trips / file.name, scored, sklearn))
        print(
            f"{file.month}  {outcome.account.rows:>8} rows  {whole[-1]:>9,.0f} rides/s by the file"
            f"  {alone[-1]:>7,.0f} ride by ride  {plain[-1]:>6,.0f} in scikit-learn"
            f"  peak {peak:6.1f} MiB"
        )
    fast, slow, slower = (statistics.median(rates) for rates in (whole, alone, plain))
    print(f"by the file: {fast:,.0f} rides/s, {fast / slow:.0f} times ride by ride ({slow:,.0f})")
    print(f"             {fast / slower:.0f} times ride by ride in scikit-learn ({slower:,.0f})")


def _ride_by_ride(path: Path, folder: Path, predictor: Predictor) -> float:
    """Read, predict and write in a loop over rows, and return rides a second."""
    columns = ["PULocationID", "DOLocationID", "trip_distance"]
    start = time.perf_counter()
    batch = next(pq.ParquetFile(path).iter_batches(ALONE, columns=columns))
    predicted = []
    for row in pa.Table.from_batches([batch]).drop_null().to_pylist():
        ride = Ride(int(row[columns[0]]), int(row[columns[1]]), row[columns[2]])
        (minutes,) = predictor.predict(ride_features([ride]))
        predicted.append(minutes)
    pq.write_table(pa.table({"predicted_minutes": predicted}), folder / "alone.parquet")
    return len(predicted) / (time.perf_counter() - start)


def _make_year(real: Path | None, rides_a_month: int, folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(1)
    rides = _real(real) if real else _made_up()
    for file in MONTHS:
        _write_month(rides, file, folder, rides_a_month, rng)


def _real(folder: Path) -> pa.Table:
    """Read the rides of all trip files of a folder, with zones as text, as TLC has them in 2021."""
    paths = sorted(path for path in folder.iterdir() if TripFile.parse(path.name))
    tables = [pq.read_table(path).drop_columns(["ehail_fee"]) for path in paths]
    return pa.concat_tables(tables, promote_options="permissive").replace_schema_metadata()


def _made_up() -> pa.Table:
    made = synthetic_rides(70_000, seed=3)
    pickup = np.datetime64("2021-01-01", "us") + np.arange(len(made)) * np.timedelta64(38, "s")
    minutes = np.array([ride.duration for ride in made])
    return pa.table(
        {
            "lpep_pickup_datetime": pickup,
            "lpep_dropoff_datetime": pickup + (minutes * 60e6).astype("timedelta64[us]"),
            "PULocationID": [str(ride.ride.PULocationID) for ride in made],
            "DOLocationID": [str(ride.ride.DOLocationID) for ride in made],
            "trip_distance": [ride.ride.trip_distance for ride in made],
        }
    )


def _write_month(
    rides: pa.Table, file: TripFile, folder: Path, count: int, rng: np.random.Generator
) -> None:
    """Draw rides, move them to a month, and leave gaps as TLC's files have."""
    drawn = rides.take(pa.array(rng.integers(0, len(rides), count)))
    shift = np.datetime64(str(file.month), "us") - np.datetime64("2021-01", "us")
    for name in ("lpep_pickup_datetime", "lpep_dropoff_datetime"):
        moved = pc.add(drawn[name].cast(pa.timestamp("us")), pa.scalar(shift))
        drawn = drawn.set_column(drawn.schema.get_field_index(name), name, moved)
    unknown = pa.chunked_array([pa.array(rng.random(count) < GAPS)])
    gaps = pc.if_else(unknown, pa.scalar(None, drawn["DOLocationID"].type), drawn["DOLocationID"])
    drawn = drawn.set_column(drawn.schema.get_field_index("DOLocationID"), "DOLocationID", gaps)
    pq.write_table(drawn, folder / file.name)


def _train(folder: Path) -> tuple[Path, Path]:
    """Train a linear model, and return its folder and one without its twin."""
    from benchmarks.bench_rides import make_rides
    from benchmarks.models import train
    from training.kinds import Kind

    rides = make_rides(TRAINED)
    model = train(Kind.RIDGE, rides.train, rides.held_out, folder)
    return model.folder, model.without_twin


def _peak_mib() -> float:
    """Return the peak memory of this process since the last call; proc_pid_status(5)."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    Path("/proc/self/clear_refs").write_text("5")
    return int(line) / 1024


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_batch", description=__doc__)
    parser.add_argument("--trips", type=Path, help="folder of green trip files to draw rides from")
    parser.add_argument(
        "--rides", type=int, default=75_000, help="rides a month (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    main()
