"""How much more memory this process may take for a while."""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/statm")  # Linux alone has it; elsewhere nothing is limited


@contextmanager
def at_most(more_bytes: int) -> Iterator[None]:
    """Let this process take so many more bytes of address space; what would take more fails.

    A limit holds for all threads, so only the main thread sets one, at startup. The web service
    loads a later model in another process first (`web_service.trial`).

    Raises:
        Exception: MemoryError, or what a library makes of it.
    """
    if not (_STATUS.exists() and threading.current_thread() is threading.main_thread()):
        yield
        return
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
