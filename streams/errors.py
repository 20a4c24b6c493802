"""Errors that every service raises on purpose, and how their messages stay on one line.

ServiceError            never raised itself
├── SettingsError       an environment variable is missing or wrong
├── EventError          the invocation is not a Kinesis batch
└── ModelError          about a model; see `model_service.models.model_errors`
Rejected                a record can never succeed
"""

import traceback
from enum import StrEnum
from typing import Final

# What a model raises when memory, a disk or a network fails it, which is no fault of a ride.
OUTAGES: Final = (MemoryError, OSError)

_MAX_QUOTED_CHARACTERS = 200


class Reason(StrEnum):
    """Why a record can never succeed."""

    INVALID_BASE64 = "invalid_base64"
    INVALID_AGGREGATE = "invalid_aggregate"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    INVALID_EVENT = "invalid_event"
    MODEL_ERROR = "model_error"
    NOT_FINITE = "prediction_not_finite"


class Rejected(Exception):
    """A record can never succeed.

    Args:
        reason: The code to count by.
        detail: One line for a person: the field, its value, what is allowed.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


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
