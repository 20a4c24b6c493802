"""What of a template is there under a condition only, and what the conditions are."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from tests.unit.template.resources import Template


def problems(
    template: Template, conditions: Mapping[str, Any], conditional: Mapping[str, Set[str]]
) -> list[str]:
    """Where something is left out, or let in, that was not decided on.

    Args:
        template: A CloudFormation template.
        conditions: Each condition, as the template has it.
        conditional: The resources under each condition; all others are always there.
    """
    return [
        *_definitions(template["Conditions"], conditions),
        *_resources(template, conditional),
    ]


def _definitions(found: Mapping[str, Any], listed: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(found.keys() | listed.keys()):
        if found.get(name) != listed.get(name):
            yield f"{name} is {found.get(name)}; it must be {listed.get(name)}"


def _resources(template: Template, listed: Mapping[str, Set[str]]) -> Iterator[str]:
    expected = {name: condition for condition, names in listed.items() for name in names}
    for name in sorted(template["Resources"].keys() | expected.keys()):
        condition = template["Resources"].get(name, {}).get("Condition")
        if condition != expected.get(name):
            yield f"{name} is under {condition}; it must be under {expected.get(name)}"
