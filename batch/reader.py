"""A trip file, a chunk at a time: memory does not grow with the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from batch.errors import TripsError
from tlc.columns import RIDE_COLUMNS, ColumnError, find

# Long enough for a column's operations to cost nothing a row, short enough for caches.
CHUNK_ROWS = 16_384
_READ_BYTES = 1 << 20


class TripReader:
    """Reads the columns of a trip file that a prediction needs.

    Args:
        path: A Parquet file.
        name: What it is called in messages.

    Attributes:
        rows: How many there are in the file.

    Raises:
        TripsError: It cannot be read, or a column is missing or holds something else.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        with self._naming():
            # Ahead of time, whole columns would be read.
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BYTES)
            schema = self._file.schema_arrow
            self._columns = {find(column, schema, name): column.name for column in RIDE_COLUMNS}
            self.rows: int = self._file.metadata.num_rows

    def chunks(self, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        """The rows, in order, as the columns that `Scorer.score` takes.

        Raises:
            TripsError: The file is damaged.
        """
        batches = self._file.iter_batches(chunk_rows, columns=list(self._columns))
        row = 0
        while True:
            with self._naming():
                batch = next(batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
            yield numbered(batch, self._columns, row)
            row += len(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except ColumnError as error:
            raise TripsError(str(error)) from None
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise TripsError(f"{self._name}: cannot be read as a Parquet file: {error}") from error


def numbered(batch: pa.RecordBatch, columns: dict[str, str], first: int) -> pa.RecordBatch:
    """A batch with our names for columns, and the numbers of its rows.

    Args:
        batch: Some rows of a file.
        columns: Our names by TLC's.
        first: Number of the first row in the file.
    """
    return pa.RecordBatch.from_arrays(
        [pa.array(np.arange(first, first + len(batch))), *map(batch.column, columns)],
        ["row", *columns.values()],
    )
