"""Which function reads which stream from where on, against a table; and that it reads all of it."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from tests.unit.template.rendering import rendered
from tests.unit.template.resources import Template, of_type

_POSITIONS = {"LATEST", "TRIM_HORIZON"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One event source mapping, rendered."""

    function: str
    streams: Set[str]
    starting_position: str


def problems(template: Template, listed: Mapping[str, Reading]) -> list[str]:
    """Where rides would be passed by, or predicted twice."""
    mappings = dict(of_type(template, "AWS::Lambda::EventSourceMapping"))
    return [
        *(f"{name} is not on the list" for name in mappings.keys() - listed.keys()),
        *(f"{name} is gone" for name in listed.keys() - mappings.keys()),
        *(
            f"{name}{problem}"
            for name in mappings.keys() & listed.keys()
            for problem in [
                *_passes_by(mappings[name]),
                *_differences(mappings[name], listed[name]),
            ]
        ),
        *_positions(template, listed),
    ]


def _passes_by(mapping: Mapping[str, Any]) -> Iterator[str]:
    if mapping.get("Enabled", True) is not True:
        yield " is disabled"
    if "FilterCriteria" in mapping:
        yield " filters, and drops rides that nobody hears of"


def _differences(mapping: Mapping[str, Any], listed: Reading) -> Iterator[str]:
    for key, value in (
        ("FunctionName", {listed.function}),
        ("EventSourceArn", listed.streams),
        ("StartingPosition", {listed.starting_position}),
    ):
        found = rendered(mapping.get(key, []))
        if found != value:
            yield f".{key} is {sorted(found)}; it must be {sorted(value)}"


def _positions(template: Template, listed: Mapping[str, Reading]) -> Iterator[str]:
    """A parameter that is a starting position is one that a stream can be read from."""
    for name, parameter in template["Parameters"].items():
        if f"${{{name}}}" in {reading.starting_position for reading in listed.values()}:
            values = set(parameter.get("AllowedValues", ["anything"]))
            if values != _POSITIONS:
                yield f"{name} may be {sorted(values)}; it must be one of {sorted(_POSITIONS)}"
