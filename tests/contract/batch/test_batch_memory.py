"""How much memory batch scoring takes."""

import gc
import tracemalloc
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch import job
from batch.job import score_file
from batch.months import Month, TripFile
from batch.places import LocalSource, LocalTarget
from batch.scorer import Scorer
from model_service.models.loading import Model
from tests.trip_files import trips
from tests.unit.batch.test_scorer import Steady


class Meter:
    """The most bytes at a time, while it is entered.

    Attributes:
        python: Held by Python and numpy.
        arrow: Held by Arrow, whenever a row group has been written.
    """

    def __enter__(self) -> Self:
        self._before = pa.total_allocated_bytes()
        self.arrow = 0
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def look(self, done: int, of: int) -> None:
        """Called as the progress of a file."""
        gc.collect()  # when Python would have done so is not what is tested
        self.arrow = max(self.arrow, pa.total_allocated_bytes() - self._before)


def test_score_memory_does_not_grow_with_months_and_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year of files, the last eight times as long as the first, takes what the first took."""
    monkeypatch.setattr(job, "CHUNK_ROWS", 1000)
    monkeypatch.setattr(job, "GROUP_ROWS", 2000)
    part = trips(2000, seed=1)
    files = [TripFile("green", Month(2021, month)) for month in range(1, 13)]
    for file in files:
        copies = 16 if file == files[-1] else 2
        with pq.ParquetWriter(tmp_path / file.name, part.schema) as writer:
            for _ in range(copies):
                writer.write_table(part)
    scorer = Scorer(Model("model", "Test123", "ride_duration", Steady()))
    source, target = LocalSource(tmp_path), LocalTarget(tmp_path / "scored")

    def score(some: list[TripFile]) -> Meter:
        with Meter() as meter:
            for file in some:
                score_file(source, target, file, scorer, meter.look)
        return meter

    score(files[:1])  # what is made once, such as compiled patterns
    (tmp_path / "scored" / files[0].key).unlink()
    first = score(files[:1])
    year = score(files[1:])

    # Half as much again for chance; all rows at once would be eight times as much.
    assert year.python < 1.5 * first.python
    assert year.arrow < 1.5 * first.arrow
