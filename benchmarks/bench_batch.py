"""A year of trip files: scored by the file and ride by ride, side by side; memory month by month.

The months are made from real ones if a folder of them is named with --trips (the rides of a month
are drawn from all of its files, and moved to that month), and of the made-up city otherwise. Both
ways read the same Parquet files and write what they predict. Ride by ride is measured on some rides
of each month, in turns with the file that they are from.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
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
from local.sample_models import PROJECT
from model_service.models.loading import load_model
from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import Predictor
from model_service.models.sklearn_models import load_sklearn
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from model_service.settings import Settings
from training.synthetic import synthetic_rides

MONTHS = [TripFile("green", Month(2021, month)) for month in range(1, 13)]
ALONE = 2000  # rides a month that are predicted one by one
GAPS = 0.002  # of the rides have no dropoff zone


def main() -> None:
    """Make a year, measure, and print a line a month and one for each way."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trips, scored, model = (Path(folder) / name for name in ("trips", "scored", "model"))
        trips.mkdir()
        model.mkdir()
        # In a process of its own, whose memory does not count.
        maker = get_context("spawn").Process(
            target=_make_year, args=(options.trips, options.rides, trips)
        )
        maker.start()
        maker.join()
        _measure(trips, scored, _train(model))


def _measure(trips: Path, scored: Path, location: str) -> None:
    model = load_model(Settings.from_environ({"MODEL_LOCATION": location}))
    # What training logged, without its twin: how such a model is served elsewhere.
    flavor = read_mlmodel(Path(location)).flavors["sklearn"]
    sklearn = load_sklearn(Path(location), flavor, trusted=False)
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
    """Rides/s of a loop over rows, which reads and writes them, too."""
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
    rng = np.random.default_rng(1)
    rides = _real(real) if real else _made_up()
    for file in MONTHS:
        _write_month(rides, file, folder, rides_a_month, rng)


def _real(folder: Path) -> pa.Table:
    """The rides of all trip files of a folder, with zones as text, as TLC has them in 2021."""
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
    """Some of the rides, at their times of a month of their own, with gaps as TLC's files have."""
    drawn = rides.take(pa.array(rng.integers(0, len(rides), count)))
    shift = np.datetime64(str(file.month), "us") - np.datetime64("2021-01", "us")
    for name in ("lpep_pickup_datetime", "lpep_dropoff_datetime"):
        moved = pc.add(drawn[name].cast(pa.timestamp("us")), pa.scalar(shift))
        drawn = drawn.set_column(drawn.schema.get_field_index(name), name, moved)
    unknown = pa.chunked_array([pa.array(rng.random(count) < GAPS)])
    gaps = pc.if_else(unknown, pa.scalar(None, drawn["DOLocationID"].type), drawn["DOLocationID"])
    drawn = drawn.set_column(drawn.schema.get_field_index("DOLocationID"), "DOLocationID", gaps)
    pq.write_table(drawn, folder / file.name)


def _train(folder: Path) -> str:
    """Train the sample model; gives its folder."""
    training = subprocess.run(
        [sys.executable, "-m", "training"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(training.stdout.splitlines()[-1])["model_location"])


def _peak_mib() -> float:
    """The most memory that this process had since it was last asked; proc_pid_status(5)."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    Path("/proc/self/clear_refs").write_text("5")
    return int(line) / 1024


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_batch", description=__doc__)
    parser.add_argument("--trips", type=Path, help="folder of green trip files to draw rides from")
    parser.add_argument("--rides", type=int, default=75_000, help="rides a month (75,000)")
    return parser


if __name__ == "__main__":
    main()
