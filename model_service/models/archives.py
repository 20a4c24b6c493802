"""How much a skops file unpacks to, known before any of it is unpacked."""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from model_service.models.model_errors import ModelRefused
from model_service.models.s3_folder import MAX_MODEL_BYTES

# What describes 3,000 trees of a GradientBoostingRegressor, a long one, has 63 MB and 1.3 million
# values. A value takes up to 500 bytes in memory while skops reads it, however short it is written.
MAX_SCHEMA_BYTES = 100_000_000
MAX_SCHEMA_VALUES = 2_000_000

_SCHEMA = "schema.json"
_CHUNK_BYTES = 1 << 20


def require_bounded(path: Path) -> None:
    """Refuse a skops file that would fill the memory.

    Each array counts as often as it is read: once for each object that the file's description
    gives an ID, and each time where it gives none. The reader gives no more bytes of a part than
    the archive's directory says it has.

    Raises:
        ModelRefused: It unpacks to more than `MAX_MODEL_BYTES` besides its description, or has a
            description of more than `MAX_SCHEMA_BYTES` or `MAX_SCHEMA_VALUES`.
    """
    with ZipFile(path) as archive:
        described = archive.getinfo(_SCHEMA).file_size
        if described > MAX_SCHEMA_BYTES:
            raise ModelRefused(
                f"{path} has a {_SCHEMA} of {described} bytes; it may have {MAX_SCHEMA_BYTES}"
            )
        values = _values(archive)
        if values > MAX_SCHEMA_VALUES:
            raise ModelRefused(
                f"{path} has a {_SCHEMA} of {values} values; it may have {MAX_SCHEMA_VALUES}"
            )
        unpacked = _bytes_read(archive)
    if unpacked > MAX_MODEL_BYTES:
        raise ModelRefused(
            f"{path} unpacks to more than {MAX_MODEL_BYTES} bytes, which is the most for a model"
        )


def _values(archive: ZipFile) -> int:
    """At least as many values as the description has, counted by what is written before each."""
    return sum(
        chunk.count(b",") + chunk.count(b"[") + chunk.count(b"{") for chunk in _chunks(archive)
    )


def _chunks(archive: ZipFile) -> Iterator[bytes]:
    with archive.open(_SCHEMA) as file:
        yield from iter(partial(file.read, _CHUNK_BYTES), b"")


def _bytes_read(archive: ZipFile) -> int:
    """The bytes of all parts that are read for a description, until they are too many."""
    total = 0
    largest: dict[Any, int] = {}

    def count(node: dict[str, Any]) -> None:
        nonlocal total
        name = node.get("file")
        if not isinstance(name, str) or total > MAX_MODEL_BYTES:
            return
        size = _unpacked_bytes(archive, name, node.get("__loader__"))
        known = node.get("__id__")
        if known:
            # skops reads one of all nodes with the same ID; it may be the largest.
            before = largest.get(known, 0)
            largest[known] = max(before, size)
            size = largest[known] - before
        total += size

    # Bottom up, with nothing kept but the counts: neither nodes nor their order matter.
    json.loads(archive.read(_SCHEMA), object_hook=count)
    return total


def _unpacked_bytes(archive: ZipFile, name: str, loader: Any) -> int:
    size = archive.getinfo(name).file_size
    if loader != "SparseMatrixNode" or size > MAX_MODEL_BYTES:
        return size
    # A sparse matrix is an archive itself.
    with ZipFile(io.BytesIO(archive.read(name))) as inside:
        return size + sum(part.file_size for part in inside.infolist())
