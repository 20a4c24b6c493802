"""Who may do what, by a template: each grant as a line that a person can review."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from tests.unit.template.rendering import items, rendered, text

_READ_HERE = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
# Resources that grant by their own properties.
_GRANTING = ("AWS::Lambda::Permission", "AWS::Lambda::Url")


def permissions(template: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the grants of each resource that has any, by logical ID."""
    found = {name: set(_lines(resource)) for name, resource in template["Resources"].items()}
    return {name: lines for name, lines in found.items() if lines}


def _lines(resource: Mapping[str, Any]) -> Iterator[str]:
    properties = resource.get("Properties", {})
    if resource["Type"] in _GRANTING:
        yield f"{resource['Type']} {text(properties)}"
    for key, value in _members(properties):
        if key in ("Role", "RoleArn"):
            yield f"runs as {text(value)}"
        elif key == "ManagedPolicyArns":
            yield from (f"has {policy}" for policy in rendered(value))
        elif key in ("Roles", "Users", "Groups"):
            yield f"is attached to {key} {text(value)}"
        elif key == "Statement":
            for statement in items(value):
                yield from _statement(statement)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key of a value and of what it holds."""
    if isinstance(value, dict):
        yield from value.items()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _members(each)


def _statement(statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each action on each resource; a key not read here is shown in full."""
    unread = {key: value for key, value in statement.items() if key not in _READ_HERE}
    effect = text(statement["Effect"]).lower()
    who = f"{text(statement['Principal'])} " if "Principal" in statement else ""
    when = "".join(
        f" when {text(value)}" for value in (statement.get("Condition"), unread) if value
    )
    for action, resource in product(
        rendered(statement.get("Action", "no action")), rendered(statement.get("Resource", ""))
    ):
        yield f"{who}{effect} {action}{resource and f' on {resource}'}{when}"
