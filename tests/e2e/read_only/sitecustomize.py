"""Python runs this first if its folder is on PYTHONPATH: every write outside of TMPDIR then fails.

So does it on Lambda, whose file system is read-only but for /tmp. An audit hook wants neither
namespaces nor mounts, which a machine may not grant, so that no machine has to skip the test. What
is not written by Python itself goes past it; `scripts/try-image` has the real thing.
"""

import errno
import os
import sys
from typing import Any

WRITABLE = os.path.realpath(os.environ["TMPDIR"])
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ON_ONE_PATH = {"chmod", "chown", "mkdir", "remove", "rmdir", "truncate", "utime"}
ON_TWO_PATHS = {"link", "rename", "symlink"}


def written(event: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The paths that a call would write to."""
    name = event.removeprefix("os.")
    if event == "open":
        return args[:1] if args[2] & WRITING else ()
    if name in ON_ONE_PATH:
        return args[:1]
    return args[:2] if name in ON_TWO_PATHS else ()


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """Fail as a read-only file system does."""
    for path in written(event, args):
        if isinstance(path, int):
            continue  # a file that is open
        real = os.path.realpath(os.fsdecode(path))
        if real != os.devnull and os.path.commonpath([real, WRITABLE]) != WRITABLE:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


sys.addaudithook(refuse)
