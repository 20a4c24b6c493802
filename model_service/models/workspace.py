"""A process's folder for temporary files.

A process that is killed removes nothing. Lambda keeps /tmp when it kills a function that is out of
time or memory, so a few kills could fill the disk with models. Each process therefore locks its
folder, and removes the folders of earlier processes, whose locks are gone.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_PREFIX = "ride-predictions-"


def workspace() -> Path:
    """Return this process's folder, which is removed at its end, or by a later process."""
    return _workspace_of(os.getpid())


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """Make a folder in the workspace, and remove it if the block raises."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=workspace()))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_as_owner(folder: Path, owner: int) -> None:
    """Remove a folder, but only in the process that made it: its forks use the folder, too.

    Args:
        folder: May be gone.
        owner: Process ID.
    """
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _workspace_of(process: int) -> Path:
    _remove_abandoned()
    # Other processes do not see this name, so they cannot take the folder before it is locked.
    unlocked = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}"))
    with suppress(
        OSError
    ):  # a file system without locks, where no process removes another's folder
        # The lock lasts until this process and its forks end: nothing closes the descriptor.
        fcntl.flock(os.open(unlocked, os.O_RDONLY), fcntl.LOCK_SH)
    folder = unlocked.rename(unlocked.with_name(unlocked.name.removeprefix(".")))
    atexit.register(remove_as_owner, folder, process)
    return folder


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # locked, another user's, or gone meanwhile
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)
