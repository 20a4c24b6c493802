"""Everything this package raises on purpose.

ServiceError                 never raised itself
├── SettingsError            an environment variable is missing or wrong
├── EventError               the invocation is not a Kinesis batch
└── ModelError               never raised itself
    ├── ModelNotFound        no model where it was looked for
    ├── ModelRefused         a model that must not be loaded
    └── ModelBroken          a loaded model that fails on every ride

Each message is one line: what was wrong, its value, and what to do about it.
"""

import traceback
from typing import Final

# What a model raises when memory, a disk or a network fails it, which is no fault of a ride.
OUTAGES: Final = (MemoryError, OSError)

_MAX_QUOTED_CHARACTERS = 200


def brief(text: str, most: int = _MAX_QUOTED_CHARACTERS) -> str:
    """Text from outside, such as a name in a model's files, fit for a message's line.

    Args:
        text: Of any length; what cannot be printed becomes a question mark.
        most: Characters to keep, half of them from the beginning and half from the end.
    """
    half = most // 2
    kept = text if len(text) <= most else f"{text[:half]}…{text[-half:]}"
    return "".join(character if character.isprintable() else "?" for character in kept)


def place_of(error: Exception) -> str:
    """What was raised, and where, as `ValueError at model.py:12`; without its message.

    For errors of a model or of a policy: their messages may hold a ride, rides are people's
    movements, and those are not logged.

    Args:
        error: As it was caught; one that was never raised has no place.
    """
    (*_, frame) = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frame.filename}:{frame.lineno}"


class ServiceError(Exception):
    """Base of this package's errors."""


class SettingsError(ServiceError):
    """An environment variable is missing or has a value that is not allowed."""


class EventError(ServiceError):
    """The invocation's event does not have the shape of a Kinesis batch."""


class ModelError(ServiceError):
    """Base of the errors about a model."""


class ModelNotFound(ModelError):
    """There is no model where the settings say it is."""


class ModelRefused(ModelError):
    """A model was found, and loading it would be unsafe or would predict wrongly."""


class ModelBroken(ModelError):
    """The model raises on every ride of a batch."""
