"""CloudFormation's intrinsic functions as text, so that two values can be compared."""

import json
import re
from collections.abc import Iterator
from typing import Any

_NO_VALUE = {"Ref": "AWS::NoValue"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def items(value: Any) -> list[Any]:
    """What a value may hold: each member of a list, and each branch of an If."""
    return [item for item, _ in _choices(value, "")]


def choices(value: Any) -> list[tuple[Any, str]]:
    """As `items`, each with the text that says when it is there."""
    return list(_choices(value, ""))


def rendered(value: Any) -> frozenset[str]:
    """The texts that a value may hold; those of an If say when.

    A Ref is `${Name}` and an attribute `${Name.Attribute}`, as in a Sub; text that only looks like
    one is `${!Name}`. What is not known here is its JSON.
    """
    return frozenset(text(item) + when for item, when in _choices(value, ""))


def text(value: Any) -> str:
    """One value as text, as in `rendered`."""
    if isinstance(value, str):
        return value.replace("${", "${!")
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": pattern}:
            return _substituted(pattern)
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(text(part) for part in parts)
    return json.dumps(value, sort_keys=True)


def _substituted(pattern: Any) -> str:
    if isinstance(pattern, str):
        return pattern
    words, variables = pattern
    return _VARIABLE.sub(lambda match: text(variables.get(match[1], {"Ref": match[1]})), words)


def branches(value: Any) -> list[Any]:
    """Each value that an If may come to; of anything else, the value itself."""
    match value:
        case {"Fn::If": [_, then, otherwise]}:
            return [*branches(then), *branches(otherwise)]
    return [] if value == _NO_VALUE else [value]


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
