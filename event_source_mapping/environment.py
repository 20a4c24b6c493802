"""Environment variables of functions that run in this process: each sees its own in `os.environ`.

On Lambda a function has a process, and so an environment, for itself. Here there is one process for
all functions and for the test that feeds them; setting and taking back its variables would be seen
by all of them. So `os.environ` becomes what tells by the caller whose variables are asked for.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar

# The account and the region of every local resource.
ACCOUNT = "123456789012"
REGION = "us-east-1"

# What a process needs of its surroundings; a function sees nothing else of this shell.
_INHERITED = ("HOME", "LANG", "PATH", "TMPDIR")

_OWN: ContextVar[MutableMapping[str, str]] = ContextVar("_OWN")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """All variables of a function: its own, and the few of this shell that any process needs."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(variables)


@contextmanager
def seen_by_this_thread(variables: MutableMapping[str, str]) -> Iterator[None]:
    """Have `os.environ` be these variables for this thread alone; what it sets goes into them.

    Other threads, also those that this one starts, and child processes see the process's own.
    """
    if not isinstance(os.environ, _Environ):
        # For good: a function that timed out runs on. The process's own stays as it is.
        os.environ = _Environ(os.environ)  # noqa: B003
    token = _OWN.set(variables)
    try:
        yield
    finally:
        _OWN.reset(token)


class _Environ(os._Environ[str]):
    """The caller's own variables, if it has any, and else the process's."""

    def __init__(self, process: "os._Environ[str]") -> None:
        self._process = process
        self.encodekey, self.decodekey = process.encodekey, process.decodekey
        self.encodevalue, self.decodevalue = process.encodevalue, process.decodevalue

    def _variables(self) -> MutableMapping[str, str]:
        return _OWN.get(self._process)

    def __getitem__(self, name: str) -> str:
        self.encodekey(name)  # raises on what is no name
        return self._variables()[name]

    def __setitem__(self, name: str, value: str) -> None:
        self.encodekey(name)
        self.encodevalue(value)
        self._variables()[name] = value

    def __delitem__(self, name: str) -> None:
        self.encodekey(name)
        del self._variables()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._variables()))

    def __len__(self) -> int:
        return len(self._variables())

    def __repr__(self) -> str:
        return f"environ({dict(self)!r})"
