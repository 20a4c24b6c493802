"""The numbers that a property may be, once its template's parameters have values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.template.rendering import items, text
from tests.unit.template.resources import Template


@dataclass(frozen=True, slots=True)
class Possible:
    """One value that a property may have when the template is deployed.

    Attributes:
        value: NaN if it is not a number.
        origin: Where it comes from, if that is a parameter.
    """

    value: float
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.value:g}{self.origin}"


def numbers(template: Template, value: Any) -> list[Possible]:
    """Every number that a property may be; of a parameter, those at its ends."""
    return [number for item in items(value) for number in _numbers(template, item)]


def _numbers(template: Template, value: Any) -> Iterator[Possible]:
    match value:
        case {"Ref": str(name)} if name in template.get("Parameters", {}):
            yield from _of_parameter(name, template["Parameters"][name])
        case bool() | list() | dict():
            yield Possible(float("nan"), f" ({text(value)})")
        case _:
            yield Possible(_number(value))


def _of_parameter(name: str, parameter: dict[str, Any]) -> Iterator[Possible]:
    if "Default" in parameter:
        yield Possible(_number(parameter["Default"]), f" (default of {name})")
    for value in parameter.get("AllowedValues", []):
        yield Possible(_number(value), f" (allowed value of {name})")
    if "AllowedValues" not in parameter:
        for key, unbounded in (("MinValue", "-inf"), ("MaxValue", "inf")):
            yield Possible(_number(parameter.get(key, unbounded)), f" ({key} of {name})")


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")
