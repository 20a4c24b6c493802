"""How much a skops file unpacks to, known before any of it is unpacked."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from model_service.errors import ModelRefused
from model_service.s3 import MAX_MODEL_BYTES

# A thousand boosted trees have a description of 28 MB; one of JSON's takes up to 24 times its
# size in memory.
MAX_SCHEMA_BYTES = 32_000_000

_SCHEMA = "schema.json"


def require_bounded(path: Path) -> None:
    """Refuse a skops file that would fill the memory.

    Each array counts as often as the file's description names it, for that often it is read. The
    reader gives no more bytes of a part than the archive's directory says it has.

    Raises:
        ModelRefused: It unpacks to more than `MAX_MODEL_BYTES`, or has a description of more than
            `MAX_SCHEMA_BYTES`.
    """
    with ZipFile(path) as archive:
        described = archive.getinfo(_SCHEMA).file_size
        if described > MAX_SCHEMA_BYTES:
            raise ModelRefused(
                f"{path} has a {_SCHEMA} of {described} bytes; it may have {MAX_SCHEMA_BYTES}"
            )
        unpacked = described + _bytes_read(archive)
    if unpacked > MAX_MODEL_BYTES:
        raise ModelRefused(
            f"{path} unpacks to more than {MAX_MODEL_BYTES} bytes, which is the most for a model"
        )


def _bytes_read(archive: ZipFile) -> int:
    """The bytes of all parts that a description names, until they are too many."""
    total = 0

    def count(node: dict[str, Any]) -> None:
        nonlocal total
        name = node.get("file")
        if isinstance(name, str) and total <= MAX_MODEL_BYTES:
            total += archive.getinfo(name).file_size
            if node.get("__loader__") == "SparseMatrixNode" and total <= MAX_MODEL_BYTES:
                total += _bytes_inside(archive.read(name))

    # Bottom up, with nothing kept but the count: neither nodes nor their order matter.
    json.loads(archive.read(_SCHEMA), object_hook=count)
    return total


def _bytes_inside(sparse_matrix: bytes) -> int:
    """What a sparse matrix unpacks to, which is an archive itself."""
    with ZipFile(io.BytesIO(sparse_matrix)) as archive:
        return sum(part.file_size for part in archive.infolist())
