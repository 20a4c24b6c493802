"""Filter patterns: which fields of a record's data must hold what.

Sources: AWS Lambda Developer Guide, "Control which events Lambda sends to your function", section
"Filter rule syntax" (below: *syntax*); Amazon EventBridge User Guide, "Creating Amazon EventBridge
event patterns", which it refers to (below: *patterns*); where both are silent, the README of
Event Ruler, the matcher that AWS publishes (below: *ruler*).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from event_source_mapping.operators import PatternError, Value, value_test

type Rule = Callable[[Mapping[str, Any]], bool]
type _Choice = Callable[[list[Value]], bool]

_MISSING: list[Any] = []  # a field that is absent holds as much as an empty list: nothing
_MAX_DEPTH = 100  # AWS names no limit; Python's stack has one


def rule(pattern: Any, place: str = "", depth: int = 0) -> Rule:
    """Compile an object of a pattern; it matches an object in which all its fields match.

    *patterns*: "the event must contain all the field names listed in the event pattern", but for
    `exists: false`.

    Args:
        pattern: The object, as `read_json` has it.
        place: Where it stands, for messages; empty for the whole pattern.
        depth: In how many other objects it is.

    Raises:
        PatternError: Lambda would not take it. Empty objects and lists are refused as *ruler*
            does; AWS's pages are silent.
    """
    if not isinstance(pattern, dict) or not pattern:
        raise PatternError(f"{place or 'it'} must be an object with at least one field")
    if depth > _MAX_DEPTH:
        raise PatternError(f"it has more than {_MAX_DEPTH} objects in one another")
    fields = [_field(key, expected, place, depth) for key, expected in pattern.items()]
    return lambda node: all(matches(node) for matches in fields)


def _field(key: str, expected: Any, parent: str, depth: int) -> Rule:
    place = f"{parent}.{key}" if parent else key
    if key == "$or":
        return _any_of(expected, place, depth)
    if isinstance(expected, dict):
        return _nested(key, rule(expected, place, depth + 1))
    if not isinstance(expected, list) or not expected:
        raise PatternError(f"{place} must be an object, or a list of values and operators")
    return _leaf(key, [_choice(entry, place) for entry in expected])


def _any_of(alternatives: Any, place: str, depth: int) -> Rule:
    """*syntax*: or (multiple fields). *ruler*: of two objects at least."""
    if not isinstance(alternatives, list) or len(alternatives) < 2:  # noqa: PLR2004
        raise PatternError(f"{place} must be a list of at least two objects")
    rules = [rule(alternative, place, depth + 1) for alternative in alternatives]
    return lambda node: any(matches(node) for matches in rules)


def _nested(key: str, inner: Rule) -> Rule:
    """A field that is an object; of a list of objects, one must match as a whole (*ruler*).

    Where there is no object, all of its fields are absent. For a list, `exists: false` is asked
    of each object alone; AWS's pages do not say.
    """

    def matches(node: Mapping[str, Any]) -> bool:
        objects = [part for part in _parts(node.get(key, _MISSING)) if isinstance(part, dict)]
        return any(inner(part) for part in objects or [{}])

    return matches


def _leaf(key: str, choices: list[_Choice]) -> Rule:
    """A field that is a value; it matches if any of the choices does.

    EventBridge, "Arrays in event patterns": a list in a record matches "if the intersection of
    the event pattern array and the event array is non-empty". *syntax*: an object is no leaf.
    """

    def matches(node: Mapping[str, Any]) -> bool:
        parts = _parts(node.get(key, _MISSING))
        values = [part for part in parts if not isinstance(part, dict)]
        return any(choice(values) for choice in choices)

    return matches


def _choice(entry: Any, place: str) -> _Choice:
    """*syntax*: exists and does not exist look at leaves only, so an object is not there."""
    if isinstance(entry, dict) and "exists" in entry:
        wanted = entry["exists"]
        if len(entry) != 1 or not isinstance(wanted, bool):
            raise PatternError(f"{place}: exists must be true or false, and alone")
        return lambda values: bool(values) is wanted
    test = value_test(entry, place)
    return lambda values: any(test(value) for value in values)


def _parts(value: Any) -> Iterator[Any]:
    """The value, or the elements of a list, and of the lists in it, in no particular order."""
    rest = [value]
    while rest:
        part = rest.pop()
        if isinstance(part, list):
            rest.extend(part)
        else:
            yield part
