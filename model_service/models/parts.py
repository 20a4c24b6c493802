"""The objects that a model is made of."""

from collections.abc import Iterator
from types import ModuleType, NoneType
from typing import Any

import numpy as np

_WITHOUT_PARTS = (str, bytes, int, float, type, ModuleType, NoneType)
_OF_CALLABLES = ("__self__", "func", "args", "keywords")  # methods, and functools.partial


def parts(model: Any) -> Iterator[Any]:
    """Yield a model and every object in it, each once."""
    waiting, seen = [model], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, _WITHOUT_PARTS) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting.extend(children(part))


def children(part: Any) -> list[Any]:
    """Return the objects that an object holds directly."""
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set | frozenset):
        return list(part)
    if isinstance(part, np.ndarray):
        return list(part.flat) if part.dtype == object else []
    called = [getattr(part, name, None) for name in _OF_CALLABLES]
    return [*getattr(part, "__dict__", {}).values(), *called]
