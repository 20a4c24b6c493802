"""A template's conditions.

Source: "Condition functions" (AWS CloudFormation Template Reference Guide).
"""

from collections.abc import Mapping
from typing import Any

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.values import intrinsic, text


class Conditions:
    """Says which conditions hold.

    Args:
        declared: The template's Conditions.
        names: What a Ref in them may name, with its value: parameters and pseudo parameters.
    """

    def __init__(self, declared: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._declared = declared
        self._names = names

    def holds(self, name: str) -> bool:
        """Whether the condition of that name is true.

        Raises:
            TemplateError: There is none, or it depends on itself, or it uses a function that is not
                known here.
        """
        return self._holds(name, within=())

    def _holds(self, name: str, within: tuple[str, ...]) -> bool:
        if name not in self._declared:
            raise TemplateError(f"condition {name}: the template has no such condition")
        if name in within:
            raise TemplateError(
                f"condition {name} depends on itself: {' > '.join(within)} > {name}"
            )
        return self._test(self._declared[name], (*within, name))

    def _test(self, expression: Any, within: tuple[str, ...]) -> bool:
        match intrinsic(expression):
            case "Condition", str(name):
                return self._holds(name, within)
            case "Fn::Equals", [left, right]:
                return self._operand(left, within) == self._operand(right, within)
            case "Fn::Not", [inner]:
                return not self._test(inner, within)
            case "Fn::And", [_, _, *_] as several:
                return all(self._test_each(several, within))
            case "Fn::Or", [_, _, *_] as several:
                return any(self._test_each(several, within))
        raise TemplateError(
            f"condition {within[-1]}: {expression!r} is not known to the local stack; a condition "
            "is Condition with a name, Fn::Equals with two values, Fn::Not with one condition, "
            "or Fn::And or Fn::Or with two or more"
        )

    def _test_each(self, expressions: list[Any], within: tuple[str, ...]) -> list[bool]:
        """All of them, so that one that is wrong is found wherever it stands."""
        return [self._test(expression, within) for expression in expressions]

    def _operand(self, value: Any, within: tuple[str, ...]) -> str:
        match intrinsic(value):
            case "Ref", name if name in self._names:
                return self._names[name]
            case "Ref", name:
                raise TemplateError(f"condition {within[-1]}: Ref {name} is not a parameter")
        return text(f"condition {within[-1]}: a value of Fn::Equals that is no Ref", value)
