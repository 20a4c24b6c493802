"""Values of a template, as CloudFormation reads them."""

import re
from typing import Any

from event_source_mapping.mapping_errors import TemplateError


def intrinsic(value: Any) -> tuple[str, Any] | None:
    """The name and the argument of an intrinsic function; None for any other value."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((name, argument),) = value.items()
    is_function = name in ("Ref", "Condition") or name.startswith("Fn::")
    return (name, argument) if is_function else None


def text(place: str, value: Any) -> str:
    """A single value as the string that CloudFormation makes of it, so `true` is "true".

    Args:
        place: What the value is of, for the message.
        value: As YAML has it, intrinsic functions resolved.

    Raises:
        TemplateError: It is null, a list or a map.
    """
    if value is None or isinstance(value, list | dict):
        raise TemplateError(f"{place} is {value!r}; it must be a string, a number or a boolean")
    return str(value).lower() if isinstance(value, bool) else str(value)


def whole_number(place: str, value: Any) -> int:
    """A whole number, which may come as a string: every parameter's value is one.

    Args:
        place: What the value is of, for the message.
        value: As YAML has it, intrinsic functions resolved.

    Raises:
        TemplateError: It is none.
    """
    if not re.fullmatch("-?[0-9]+", text(place, value)):
        raise TemplateError(f"{place} is {value!r}; it must be a whole number")
    return int(value)
