"""The comparison operators of a filter pattern: tests of one value of a record's data.

Sources: AWS Lambda Developer Guide, "Control which events Lambda sends to your function", section
"Filter rule syntax" (below: *syntax*); Amazon EventBridge User Guide, "Comparison operators for
use in event patterns", which *syntax* refers to (below: *operators*). Refused, because *syntax*
does not list them and *operators* keeps them from pipes, which filter as Lambda does: `wildcard`,
`cidr`, and `anything-but` of a prefix, suffix, wildcard or equals-ignore-case.
"""

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a JSON text, as it is written there.

    *syntax*: "For numbers, Lambda also uses string representation. For example, 300, 300.0, and
    3.0e2 are not considered equal."
    """

    text: str


type Value = str | Number | bool | None
type Test = Callable[[Value], bool]


class PatternError(ValueError):
    """A filter pattern that Lambda would not take; the message names the field."""


def read_json(text: str) -> Any:
    """Parse a JSON text, its numbers as `Number`; of equal keys the last one counts.

    AWS's page said so of keys in a pattern until 2023, and says nothing of it today.

    Raises:
        ValueError: It is not JSON: NaN and Infinity are not. Nor is, here, what nests too deep.
    """
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def value_test(expected: Any, place: str) -> Test:
    """The test that an entry of a rule stands for: a value to equal, or an operator.

    *syntax* lists null, empty string and equals, of strings; `true` and `false`, which it does
    not, are in AWS's examples for CDK.

    Args:
        expected: The entry, as `read_json` has it.
        place: The field, for messages.

    Raises:
        PatternError: Lambda does not know the operator, or not with such a value.
    """
    if isinstance(expected, list):
        raise PatternError(f"{place} has a list in its list; allowed are values and operators")
    if not isinstance(expected, dict):
        return lambda value: value == expected
    if len(expected) != 1 or not expected.keys() <= _OPERATORS.keys():
        raise PatternError(
            f"{place} has the operator {', '.join(expected) or '{}'}; allowed is one of "
            f"{', '.join(sorted(['exists', *_OPERATORS]))}"
        )
    ((name, argument),) = expected.items()
    return _OPERATORS[name](argument, f"{place}: {name}")


def _string(argument: Any, place: str) -> str:
    if not isinstance(argument, str):
        raise PatternError(f"{place} must have a string")
    return argument


def _ignoring_case(argument: Any, place: str) -> Test:
    """*syntax*: equals (ignore case). AWS does not say in which alphabets; here in all."""
    wanted = _string(argument, place).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _affix(found_in: Callable[[str, str], bool]) -> Callable[[Any, str], Test]:
    """*syntax*: begins with, ends with; *operators*: the same of `equals-ignore-case`."""

    def test(argument: Any, place: str) -> Test:
        if isinstance(argument, dict) and argument.keys() == {"equals-ignore-case"}:
            folded = _string(argument["equals-ignore-case"], place).casefold()
            return lambda value: isinstance(value, str) and found_in(value.casefold(), folded)
        affix = _string(argument, place)
        return lambda value: isinstance(value, str) and found_in(value, affix)

    return test


def _anything_but(argument: Any, place: str) -> Test:
    """*syntax*: not. *operators*: strings, numbers, and lists of only the one or only the other.

    null and values of another type match: AWS says nothing of them, nor of how numbers compare
    here, which is by their representation, as in equals.
    """
    others = argument if isinstance(argument, list) else [argument]
    kinds = {type(other) for other in others}
    if kinds not in ({str}, {Number}):
        raise PatternError(f"{place} must have strings only, or numbers only")
    return lambda value: value not in others


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# *operators*: "values between -5.0e9 and +5.0e9 inclusive, with 15 digits of precision".
_LIMIT = 5.0e9


def _numeric(argument: Any, place: str) -> Test:
    """*syntax*: numeric (equals), numeric (range). *operators*: only of JSON numbers.

    A double has the 15 digits. A number past the limit is refused in a pattern, and does not
    match in a record: AWS does not say what becomes of it. A range is a lower bound, then an
    upper one, as in AWS's examples; AWS's own matcher (Event Ruler) refuses any other order.
    """
    parts = argument if isinstance(argument, list) else []
    signs = parts[::2]
    numbers = [number for part in parts[1::2] if (number := _amount(part)) is not None]
    if len(signs) != len(numbers) or not _readable(signs):
        raise PatternError(
            f"{place} must be one of {', '.join(_COMPARISONS)} and a number from -5.0e9 to 5.0e9; "
            "or > or >=, a number, < or <=, a number"
        )
    bounds = [(_COMPARISONS[sign], number) for sign, number in zip(signs, numbers, strict=True)]

    def test(value: Value) -> bool:
        amount = _amount(value)
        return amount is not None and all(compare(amount, bound) for compare, bound in bounds)

    return test


def _readable(signs: list[Any]) -> bool:
    single = [[sign] for sign in _COMPARISONS]
    return signs in single or signs in [[low, up] for low in (">", ">=") for up in ("<", "<=")]


def _amount(value: Any) -> float | None:
    amount = float(value.text) if isinstance(value, Number) else None
    return amount if amount is not None and abs(amount) <= _LIMIT else None


_OPERATORS: dict[str, Callable[[Any, str], Test]] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _ignoring_case,
    "numeric": _numeric,
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
}
