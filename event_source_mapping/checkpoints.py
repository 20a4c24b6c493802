"""How far each shard of a mapping is done, kept where a restart finds it."""

import json
import os
import threading
from pathlib import Path
from typing import Protocol

import msgspec

from event_source_mapping.mapping_errors import CheckpointsError

# In place of a sequence number: the shard is closed, and all of it is done.
SHARD_END = "SHARD_END"
# ... or, with the seconds since the epoch behind it: reading began then, at what was LATEST.
BEGAN_AT = "AT_TIMESTAMP "


class Checkpoints(Protocol):
    """Keeps the sequence number of the last record of each shard that is done or given up."""

    def load(self, shard_id: str) -> str | None:
        """The checkpoint of a shard; None before its first record."""
        ...

    def save(self, shard_id: str, checkpoint: str) -> None:
        """Move the checkpoint of a shard."""
        ...


class MemoryCheckpoints:
    """Checkpoints that go with the process."""

    def __init__(self) -> None:
        self._checkpoints: dict[str, str] = {}

    def load(self, shard_id: str) -> str | None:
        """The checkpoint of a shard; None before its first record."""
        return self._checkpoints.get(shard_id)

    def save(self, shard_id: str, checkpoint: str) -> None:
        """Move the checkpoint of a shard."""
        self._checkpoints[shard_id] = checkpoint


class FileCheckpoints(MemoryCheckpoints):
    """Checkpoints in a JSON file, too, which a mapping that starts anew goes on from.

    Args:
        path: The file, of this mapping alone; it need not exist, its folder must.

    Raises:
        CheckpointsError: The file is not one of checkpoints.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lock = threading.Lock()
        if path.exists():
            self._checkpoints.update(_read(path))

    def save(self, shard_id: str, checkpoint: str) -> None:
        """Move the checkpoint of a shard; a power cut leaves the old file or the new one."""
        with self._lock:
            is_first = not self._path.exists()
            self._replace(json.dumps({**self._checkpoints, shard_id: checkpoint}, indent=1))
            # Only now: what is not in the file is not there for a restart.
            super().save(shard_id, checkpoint)
            # A rename that is lost leaves the file of before, from which some records come again.
            # The first one has none before it, and what LATEST was is known from nowhere else.
            if is_first:
                _sync_folder(self._path.parent)

    def _replace(self, text: str) -> None:
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w") as file:
            file.write(text)
            file.flush()
            # The name must not be on the disk before what it names.
            os.fsync(file.fileno())
        new.replace(self._path)


def _read(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except ValueError as error:
        # To begin anew would be to process again, or, from LATEST, to pass over, what is there.
        raise CheckpointsError(
            f"{path} does not say how far shards are done: {error}; bring it back, or remove it "
            "and begin where StartingPosition says"
        ) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
