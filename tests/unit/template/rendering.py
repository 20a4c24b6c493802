"""CloudFormation's intrinsic functions as text, so that values can be compared and read."""

import json
from collections.abc import Iterator
from typing import Any

_NO_VALUE = {"Ref": "AWS::NoValue"}


def items(value: Any) -> list[Any]:
    """Return what a value may hold: each member of a list, and each branch of an If."""
    return [item for item, _ in _choices(value, "")]


def rendered(value: Any) -> list[str]:
    """Return the texts that a value may hold. The text of a branch of an If says when it holds."""
    return [text(item) + when for item, when in _choices(value, "")]


def text(value: Any) -> str:
    """Return one value as text: a Ref as `${Name}`, an attribute as `${Name.Attribute}`.

    Text that only looks like a reference is `${!Name}`. Anything else is its JSON.
    """
    match value:
        case str():
            return value.replace("${", "${!")
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(pattern)}:
            return pattern
    return json.dumps(value, sort_keys=True)


def _choices(value: Any, when: str) -> Iterator[tuple[Any, str]]:
    match value:
        case list():
            for item in value:
                yield from _choices(item, when)
        case {"Fn::If": [condition, then, otherwise]}:
            yield from _choices(then, f"{when} if {condition}")
            yield from _choices(otherwise, f"{when} unless {condition}")
        case _ if value != _NO_VALUE:
            yield value, when
