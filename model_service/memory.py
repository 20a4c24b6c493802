"""How much more memory this process may take for a while."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")  # Linux alone has it; elsewhere nothing is limited
# There is one limit for all threads.
_LOCK = threading.Lock()


@contextmanager
def at_most(more_bytes: int) -> Iterator[None]:
    """Let this process take so many more bytes of address space; what would take more fails.

    Raises:
        Exception: MemoryError, or what a library makes of it.
    """
    if not _STATUS.exists():
        yield
        return
    with _LOCK:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = _address_space() + more_bytes
        if soft != resource.RLIM_INFINITY:
            limit = min(limit, soft)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    pages, *_ = _STATUS.read_text().split()
    return int(pages) * resource.getpagesize()


def loading_bytes(folder: Path) -> int:
    """Most bytes that loading a model's folder may take.

    Sparse weights of a hundred bytes can stand for terabytes. A forest takes twenty times its file,
    as a table of weights does.
    """
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return _LEAST_LOADING_BYTES + 32 * files


_LEAST_LOADING_BYTES = 256 * 1024 * 1024
