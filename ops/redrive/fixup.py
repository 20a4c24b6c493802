"""A fix-up: a function that makes good bytes of a record's bad ones."""

import importlib
from collections.abc import Callable

from cli.terminal import OpsError

# Takes a record's bytes; None leaves the record out.
Fix = Callable[[bytes], bytes | None]

_MAX_SHOWN_CHARACTERS = 200


class NotFixed(Exception):
    """A fix-up raised, or gave something that is not bytes; the message says what."""


def load_fix(name: str) -> Fix:
    """The function that `module:function` names, found as Python finds it from here.

    Raises:
        OpsError: There is none.
    """
    module, _, function = name.partition(":")
    if not (module and function):
        raise OpsError(f"--fix {name!r} is not allowed; it must be module:function")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        # A module may raise anything while it is imported.
        raise OpsError(
            f"--fix {name!r} cannot be loaded: {type(error).__name__}: {error}; it must be a "
            "function of a module that Python finds from this folder"
        ) from None
    if not callable(found):
        raise OpsError(f"--fix {name!r} is a {type(found).__name__}; it must be a function")
    fix: Fix = found
    return fix


def fixed(fix: Fix, payload: bytes) -> bytes | None:
    """What the fix-up makes of a payload; None if it leaves the record out.

    Raises:
        NotFixed: It raised, or gave something else.
    """
    try:
        answer: object = fix(payload)
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise NotFixed(f"the fix-up raised {said}"[:_MAX_SHOWN_CHARACTERS]) from None
    if answer is None or isinstance(answer, bytes):
        return answer
    raise NotFixed(f"the fix-up gave a {type(answer).__name__}; it must give bytes or None")
