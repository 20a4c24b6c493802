"""One trip file -> one scored file. Read here first: the rest of the package is what this calls."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from batch.account import Account
from batch.batch_errors import TripsError
from batch.months import TripFile
from batch.places import MANIFEST, Source, Target
from batch.scorer import SCORED, Scorer
from tlc.columns import RIDE_COLUMNS, TripFileError
from tlc.trip_reader import TripReader

# Of the scored files: whoever changes what is in them has all of them scored again.
FORMAT = 1

# Long enough for a column's operations to cost nothing a row, short enough for caches.
CHUNK_ROWS = 16_384

# Rows of a Parquet row group: some 10 MB of them are held until they are written.
GROUP_ROWS = 131_072

# Rows done, rows in all.
Progress = Callable[[int, int], None]


class Manifest(Struct, frozen=True):
    """What a scored file was made of, and what came of it.

    Attributes:
        format: Of the scored file.
        source: Identity of the trip file.
        model: Name of the model.
        version: The model's version.
        account: What came of the rows.
    """

    format: int
    source: str
    model: str
    version: str
    account: Account


class Outcome(Struct, frozen=True):
    """What became of one file; `is_new` is False if it had been scored before."""

    file: TripFile
    account: Account
    is_new: bool


def score_file(
    source: Source,
    target: Target,
    file: TripFile,
    scorer: Scorer,
    progress: Progress,
) -> Outcome:
    """Score a file, unless that was done: the same file, by the same model's version.

    Raises:
        TripsError: The file cannot be read, or lacks a column.
        OutputError: The scored file cannot be written.
        ModelBroken: The model fails on every ride.
    """
    identity = source.identity(file.name)
    done = _done(target, file, scorer, identity)
    if done is not None:
        return Outcome(file, done.account, is_new=False)
    try:
        with source.opened(file.name) as trips, target.writing(file.key) as path:
            account = _score(trips, path, file, scorer, identity, progress)
    except TripFileError as error:
        raise TripsError(str(error)) from None
    return Outcome(file, account, is_new=True)


def _done(target: Target, file: TripFile, scorer: Scorer, identity: str) -> Manifest | None:
    text = target.manifest(file.key)
    try:
        found = msgspec.json.decode(text or "", type=Manifest)
    except msgspec.DecodeError:
        return None  # none there, or of another format
    made_of = (found.format, found.source, found.model, found.version)
    return found if made_of == (FORMAT, identity, scorer.name, scorer.version) else None


def _score(
    trips: Path, path: Path, file: TripFile, scorer: Scorer, identity: str, progress: Progress
) -> Account:
    reader = TripReader(trips, file.name, RIDE_COLUMNS)
    account = Account()
    # Zones, reasons and versions repeat; the rest is no smaller in a dictionary.
    repeating = ["pickup_zone", "dropoff_zone", "rejected", "rejected_detail", "model_version"]
    with (
        reader,
        pq.ParquetWriter(path, SCORED, compression="zstd", use_dictionary=repeating) as writer,
    ):
        for group in _groups(reader, scorer, file):
            writer.write_table(pa.Table.from_batches(group, SCORED), GROUP_ROWS)
            account = sum((Account.of(scored) for scored in group), account)
            progress(account.rows, reader.rows)
        manifest = Manifest(FORMAT, identity, scorer.name, scorer.version, account)
        writer.add_key_value_metadata({MANIFEST: _ascii(manifest)})
    return account


def _groups(reader: TripReader, scorer: Scorer, file: TripFile) -> Iterator[list[pa.RecordBatch]]:
    """Scored chunks, as many as make a row group."""
    group: list[pa.RecordBatch] = []
    for chunk in reader.chunks(CHUNK_ROWS):
        group.append(scorer.score(chunk, file.ride_prefix))
        if sum(map(len, group)) >= GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group


def _ascii(manifest: Manifest) -> str:
    """JSON, as the metadata of an object in S3 may hold it."""
    return json.dumps(msgspec.to_builtins(manifest))
