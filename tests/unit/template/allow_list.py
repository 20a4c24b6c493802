"""What a template grants, against a list of all that it may grant."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from tests.unit.template.resources import Template
from tests.unit.template.statements import Statement, statements

_NOTHING: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources, rendered; under a condition, if there is one."""

    actions: Set[str]
    resources: Set[str]
    condition: Set[str] = _NOTHING


def problems(template: Template, allowed: Mapping[str, Grant]) -> list[str]:
    """Where a template grants anything else than the list says.

    Args:
        template: A CloudFormation template.
        allowed: All that it may grant, by the statement's name.
    """
    granted = [statement for statement in statements(template) if statement.allows]
    names = {statement.name for statement in granted}
    return [
        *(problem for statement in granted for problem in _compared(statement, allowed)),
        *(f"{name} is on the list and not in the template" for name in allowed.keys() - names),
    ]


def _compared(statement: Statement, allowed: Mapping[str, Grant]) -> Iterator[str]:
    grant = allowed.get(statement.name)
    if grant is None:
        actions, resources = sorted(statement.actions), sorted(statement.resources)
        yield f"{statement.name} is not on the list: {actions} on {resources}"
        return
    yield from _differences(statement.name, "action", statement.actions, grant.actions)
    yield from _differences(statement.name, "resource", statement.resources, grant.resources)
    yield from _differences(statement.name, "condition", statement.condition, grant.condition)


def _differences(name: str, what: str, found: Set[str], listed: Set[str]) -> Iterator[str]:
    for extra in sorted(found - listed):
        yield f"{name}: {what} {extra} is not on the list"
    for lost in sorted(listed - found):
        yield f"{name}: {what} {lost} is gone"
