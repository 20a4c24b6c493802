"""Whether every policy can be read here: what cannot be read might grant anything."""

import re
from collections.abc import Iterator
from typing import Any

from tests.unit.template.rendering import branches, items, text
from tests.unit.template.resources import Template, of_type

_DOCUMENT = re.compile(r"\w*PolicyDocument|(Key)?Policy")
# What CloudFormation, or a macro, replaces by something that is not in the template.
_INCLUDE = re.compile(r"Fn::Transform|Fn::ForEach::.*|Transform")
_KEYS_OF_A_DOCUMENT = {"Id", "Statement", "Version"}
_KEYS_OF_A_STATEMENT = {
    "Action",
    "Condition",
    "Effect",
    "NotAction",
    "NotPrincipal",
    "NotResource",
    "Principal",
    "Resource",
    "Sid",
}
_KEYS_OF_A_POLICY = {"PolicyDocument", "PolicyName"}


def problems(template: Template) -> list[str]:
    """Where a template grants something in a form that the other checks would pass by."""
    return [*_includes("template", template), *_policies_of_roles(template), *_documents(template)]


def _includes(place: str, value: Any) -> Iterator[str]:
    for key, inner in _members(value):
        if _INCLUDE.fullmatch(key):
            yield f"{place} has an {key}, which adds what is not to be seen"
        yield from _includes(f"{place}.{key}", inner)


def _policies_of_roles(template: Template) -> Iterator[str]:
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in items(role.get("Policies", [])):
            if not isinstance(policy, dict) or policy.keys() != _KEYS_OF_A_POLICY:
                yield f"{name}.Policies has no plain policy: {text(policy)}"


def _documents(template: Template) -> Iterator[str]:
    for name, resource in template["Resources"].items():
        for place, document in _found(name, resource.get("Properties", {})):
            yield from (f"{place} {problem}" for problem in _unreadable(document))


def _found(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    for key, inner in _members(value):
        if _DOCUMENT.fullmatch(key):
            yield f"{place}.{key}", inner
        else:
            yield from _found(f"{place}.{key}", inner)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(number), item) for number, item in enumerate(value))


def _unreadable(document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or not document.keys() <= _KEYS_OF_A_DOCUMENT:
        yield f"is not a plain document: {text(document)}"
    elif not isinstance(document.get("Statement"), list):
        yield f"has no list of statements: {text(document)}"
    else:
        for body in (body for item in document["Statement"] for body in branches(item)):
            if not _is_statement(body):
                yield f"has no plain statement: {text(body)}"


def _is_statement(body: Any) -> bool:
    return isinstance(body, dict) and "Effect" in body and body.keys() <= _KEYS_OF_A_STATEMENT
