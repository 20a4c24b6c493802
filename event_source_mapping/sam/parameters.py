"""A template's parameters, checked as CloudFormation checks them.

Source: "CloudFormation template Parameters syntax" (AWS CloudFormation User Guide).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.values import text

_CHECKED = {
    "Number": {"AllowedValues", "MaxValue", "MinValue"},
    "String": {"AllowedPattern", "AllowedValues"},
}
# These say nothing of which values are allowed.
_DESCRIPTIVE = {"ConstraintDescription", "Default", "Description", "NoEcho", "Type"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter: the given one or its default, as a string.

    Args:
        declared: The template's Parameters.
        given: Values by name.

    Raises:
        TemplateError: A parameter is unknown, or is missing and has no default; its value is not
            allowed; or it is declared with a type or a rule that is not known here.
    """
    unknown = given.keys() - declared.keys()
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {name: _value(name, parameter, given) for name, parameter in declared.items()}


def _value(name: str, parameter: Mapping[str, Any], given: Mapping[str, str]) -> str:
    _require_checkable(name, parameter)
    if name not in given and "Default" not in parameter:
        raise TemplateError(f"the template's parameter {name} has no default and is not given")
    value = text(f"parameter {name}", given.get(name, parameter.get("Default")))
    broken = " and ".join(_broken_rules(value, parameter))
    if broken:
        raise TemplateError(f"parameter {name} is {value!r}; it must {broken}")
    return value


def _require_checkable(name: str, parameter: Mapping[str, Any]) -> None:
    kind = parameter.get("Type")
    if kind not in _CHECKED:
        raise TemplateError(
            f"parameter {name} has the Type {kind!r}; locally it must be {' or '.join(_CHECKED)}"
        )
    unchecked = parameter.keys() - _DESCRIPTIVE - _CHECKED[kind]
    if unchecked:
        raise TemplateError(
            f"parameter {name} has {', '.join(sorted(unchecked))}; of a {kind}, "
            f"the local stack checks {', '.join(sorted(_CHECKED[kind]))}"
        )


def _broken_rules(value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    """What the value must be and is not."""
    if parameter["Type"] == "Number" and not _NUMBER.fullmatch(value):
        yield "be a number"
        return
    allowed = [text("an allowed value", one) for one in parameter.get("AllowedValues", [value])]
    if value not in allowed:
        yield f"be one of {', '.join(allowed)}"
    if "MinValue" in parameter and float(value) < float(parameter["MinValue"]):
        yield f"be at least {parameter['MinValue']}"
    if "MaxValue" in parameter and float(value) > float(parameter["MaxValue"]):
        yield f"be at most {parameter['MaxValue']}"
    if not re.fullmatch(parameter.get("AllowedPattern", "(?s:.*)"), value):
        yield f"match {parameter['AllowedPattern']} as a whole"
