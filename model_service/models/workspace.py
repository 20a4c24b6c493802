"""A process's folder for temporary files.

A process that is killed removes nothing. Lambda keeps /tmp when it kills a function that is out of
time or memory, so a few kills could fill the disk with models. Each process therefore locks its
folder, and removes the folders of earlier processes, whose locks are gone.

All workspaces of a user are in one private folder, so that no other files are removed. A process
locks that folder while it makes its workspace, so that none is removed before it is locked.
"""

import atexit
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

_PREFIX = "process-"
_ANY_WORKSPACE = f"{_PREFIX}????????"  # `mkdtemp` adds eight characters


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
    folder = _new_workspace()
    atexit.register(remove_as_owner, folder, process)
    return folder


def _new_workspace() -> Path:
    parent = Path(tempfile.gettempdir(), f"ride-predictions-workspaces-{os.geteuid()}")
    try:
        with _locked(parent):
            _remove_abandoned(parent)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            # The lock lasts until this process and its forks end: nothing closes the descriptor.
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
            return folder
    except OSError as error:
        folder = Path(tempfile.mkdtemp(prefix="ride-predictions-workspace-"))
        logger.warning("%s cannot be used (%s); if killed, this process leaves %s behind",
                       parent, error, folder)  # fmt: skip
        return folder


@contextmanager
def _locked(parent: Path) -> Iterator[None]:
    """Make a folder that only this user may use, if it is missing, and lock it.

    Raises:
        OSError: Another user could use it, or the file system has no locks.
    """
    parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise PermissionError("it is not private to this user")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(_ANY_WORKSPACE):
        with suppress(OSError):  # locked, or no folder
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)
