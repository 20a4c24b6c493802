"""Trip files as TLC publishes them, with the gaps that its files have."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def trips(rows: int, seed: int, prefix: str = "lpep", **columns: Any) -> pa.Table:
    """Rides of January 2021; some have no zone, or a distance below 0; others as given."""
    random = np.random.default_rng(seed)
    pickup = np.datetime64("2021-01-05", "us") + random.integers(0, 10**6, rows) * np.timedelta64(
        1, "s"
    )
    miles = random.uniform(0.5, 10, rows).round(2)
    minutes = (4 * miles + 3) * random.lognormal(0, 0.2, rows)
    table = {
        f"{prefix}_pickup_datetime": pickup,
        f"{prefix}_dropoff_datetime": pickup + (minutes * 60e6).astype("timedelta64[us]"),
        "PULocationID": random.integers(1, 266, rows),
        "DOLocationID": pa.array(random.integers(1, 266, rows), mask=random.random(rows) < 0.05),
        "trip_distance": np.where(random.random(rows) < 0.05, -miles, miles),
        "extra": ["?"] * rows,
    }
    return pa.table(table | columns)


def write_trips(folder: Path, name: str, rows: int, seed: int = 1, **columns: Any) -> Path:
    """Write such a file; gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(trips(rows, seed, **columns), folder / name)
    return folder / name
