"""Reads the columns of a trip file: all rows at once, or in chunks, with constant memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tlc.columns import Column, TripFileError, find

_READ_BYTES = 1 << 20


class TripReader:
    """Reads the given columns of a trip file.

    Args:
        path: A Parquet file.
        name: The file's name in messages.
        columns: The columns to read.

    Attributes:
        rows: Number of rows in the file.

    Raises:
        TripFileError: The file cannot be read, or a column is missing or holds something else.
    """

    def __init__(self, path: Path, name: str, columns: Sequence[Column]) -> None:
        self._name = name
        with self._naming():
            # Ahead of time, whole columns would be read.
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BYTES)
            schema = self._file.schema_arrow
            self._columns = {find(column, schema, name): column.name for column in columns}
            self.rows: int = self._file.metadata.num_rows

    def read(self) -> pa.RecordBatch:
        """Read all rows as one chunk.

        Raises:
            TripFileError: The file is damaged.
        """
        with self._naming():
            table = self._file.read(columns=list(self._columns))
            table.validate(full=True)
        columns = {name: table[name].combine_chunks() for name in self._columns}
        return numbered(pa.RecordBatch.from_pydict(columns), self._columns, 0)

    def chunks(self, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        """Read the rows in order, a chunk at a time.

        Raises:
            TripFileError: The file is damaged.
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
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise TripFileError(
                f"{self._name}: cannot be read as a Parquet file: {error}"
            ) from error


def numbered(batch: pa.RecordBatch, columns: dict[str, str], first: int) -> pa.RecordBatch:
    """Rename the columns of a batch, and number its rows.

    Args:
        batch: Some rows of a file.
        columns: Our names by TLC's.
        first: Number of the first row in the file.
    """
    return pa.RecordBatch.from_arrays(
        [pa.array(np.arange(first, first + len(batch))), *map(batch.column, columns)],
        ["row", *columns.values()],
    )
