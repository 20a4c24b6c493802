"""The columns of trip files: TLC's data dictionaries for green (LPEP) and yellow trip records."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types


class TripFileError(Exception):
    """A file cannot be read, or a column is missing, there twice or of another type; names it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column may hold."""

    fits: Callable[[pa.DataType], bool]
    allowed: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is needed; the first of its TLC names that a file has is read."""

    name: str
    tlc_names: tuple[str, ...]
    kind: Kind


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _is_zone(kind: pa.DataType) -> bool:
    return _is_number(kind) or types.is_string(kind) or types.is_large_string(kind)


def _is_time(kind: pa.DataType) -> bool:
    return types.is_timestamp(kind) and kind.tz is None


TIME = Kind(_is_time, "timestamps without a time zone")
ZONE = Kind(_is_zone, "TLC zone IDs: whole numbers, as integers, floats or strings")
NUMBER = Kind(_is_number, "numbers")

RIDE_COLUMNS = (
    Column("pickup", ("lpep_pickup_datetime", "tpep_pickup_datetime"), TIME),
    Column("dropoff", ("lpep_dropoff_datetime", "tpep_dropoff_datetime"), TIME),
    Column("start", ("PULocationID",), ZONE),
    Column("end", ("DOLocationID",), ZONE),
    Column("miles", ("trip_distance",), NUMBER),
)
TIP_COLUMNS = (
    Column("tip", ("tip_amount",), NUMBER),
    Column("payment", ("payment_type",), NUMBER),
)


def find(column: Column, schema: pa.Schema, file: str) -> str:
    """The name that a file has for a column.

    Args:
        column: What is needed.
        schema: The file's columns.
        file: Its name or path, for the message.

    Raises:
        TripFileError: There is no such column, or more than one, or it holds something else.
    """
    for name in column.tlc_names:
        if schema.names.count(name) > 1:
            raise TripFileError(f"{file}: {name} is there more than once; it must be there once")
        if name in schema.names:
            kind = schema.field(name).type
            if not column.kind.fits(kind):
                raise TripFileError(
                    f"{file}: {name} holds {kind}; it must hold {column.kind.allowed}"
                )
            return name
    raise TripFileError(
        f"{file}: there is no column {' or '.join(column.tlc_names)}, which must hold "
        f"{column.kind.allowed}; there are {', '.join(schema.names) or 'none'}"
    )
