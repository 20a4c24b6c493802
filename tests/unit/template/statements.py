"""The IAM statements of a template."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.template.rendering import items, rendered, text
from tests.unit.template.resources import Template, of_type


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, whichever policy it is in.

    Attributes:
        owner: Logical ID of what it belongs to.
        label: Its Sid, or else its number there.
        body: As the template has it.
    """

    owner: str
    label: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.owner}/{self.label}"

    @property
    def allows(self) -> bool:
        """Whether it grants anything; an effect that cannot be read may do so."""
        return bool(self.body["Effect"] != "Deny")

    @property
    def actions(self) -> frozenset[str]:
        return rendered(self.body.get("Action", []))

    @property
    def resources(self) -> frozenset[str]:
        return rendered(self.body.get("Resource", []))

    @property
    def condition(self) -> frozenset[str]:
        """Each as `operator key value`."""
        conditions = self.body.get("Condition", {})
        if not all(isinstance(keys, dict) for keys in conditions.values()):
            return frozenset({text(conditions)})
        return frozenset(
            f"{operator} {key} {value}"
            for operator, keys in conditions.items()
            for key, values in keys.items()
            for value in rendered(values)
        )


def statements(template: Template) -> Iterator[Statement]:
    """Every statement of every resource, but for who may assume a role."""
    for name, resource in template["Resources"].items():
        properties = dict(resource.get("Properties", {}))
        properties.pop("AssumeRolePolicyDocument", None)
        yield from _named(name, properties)


def trust(template: Template) -> Iterator[Statement]:
    """Every statement of who may assume a role."""
    for name, role in of_type(template, "AWS::IAM::Role"):
        yield from _named(name, role["AssumeRolePolicyDocument"])


def _named(owner: str, value: Any) -> Iterator[Statement]:
    for number, body in enumerate(_bodies(value), 1):
        yield Statement(owner, str(body.get("Sid", number)), body)


def _bodies(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "Effect" in value:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _bodies(inner)
    elif isinstance(value, list):
        for item in items(value):
            yield from _bodies(item)
