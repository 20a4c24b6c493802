"""Finding one's way in a CloudFormation template."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

type Template = Mapping[str, Any]

_REFERENCE = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical ID and properties of each resource of a type."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def type_of(template: Template, rendered: str) -> str | None:
    """Type of the resource that a text refers to, if it is nothing but that reference."""
    match = _REFERENCE.fullmatch(rendered)
    resource = template["Resources"].get(match[1]) if match else None
    return resource["Type"] if resource else None


def at(value: Any, path: str) -> Any:
    """The value at a path of keys with dots between them; None if there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
