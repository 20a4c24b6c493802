"""CloudFormation's intrinsic functions, as far as the local stack needs them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from event_source_mapping.environment import ACCOUNT
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.conditions import Conditions
from event_source_mapping.sam.parameters import parameter_values
from event_source_mapping.sam.resources import STACK, Resources
from event_source_mapping.sam.values import intrinsic, text

_SUB_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")
# What AWS::NoValue stands for: no value at all.
_NOTHING = object()


class Resolver:
    """Turns a template's values into plain ones.

    Args:
        document: The whole template.
        parameters: Values of its parameters, by name.
        region: Value of `AWS::Region`.

    Attributes:
        resources: Those of the template.

    Raises:
        TemplateError: A parameter is missing, unknown, or has a value that is not allowed.
    """

    def __init__(
        self, document: Mapping[str, Any], parameters: Mapping[str, str], region: str
    ) -> None:
        self._names = {
            **parameter_values(document.get("Parameters", {}), parameters),
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
        }
        self._conditions = Conditions(document.get("Conditions", {}), self._names)
        self.resources = Resources(document["Resources"], self._conditions, region, self.properties)
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
        }

    def properties(self, properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
        """Those of the properties that are there, resolved; the others may hold anything.

        Raises:
            TemplateError: One uses a function or an attribute that is not known here.
        """
        there = {name: properties[name] for name in names if name in properties}
        resolved: dict[str, Any] = self.value(there)
        return resolved

    def value(self, value: Any) -> Any:
        """Resolve a value and everything in it; properties and items of AWS::NoValue are left out.

        Raises:
            TemplateError: It uses a function or an attribute that is not known here, or is nothing
                but AWS::NoValue.
        """
        resolved = self._value(value)
        if resolved is _NOTHING:
            raise TemplateError(f"{value!r} is AWS::NoValue, where there must be a value")
        return resolved

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            resolved = [self._value(item) for item in value]
            return [item for item in resolved if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        call = intrinsic(value)
        if call:
            return self._call(*call)
        properties = {key: self._value(item) for key, item in value.items()}
        return {key: item for key, item in properties.items() if item is not _NOTHING}

    def _call(self, function: str, argument: Any) -> Any:
        if function not in self._functions:
            raise TemplateError(
                f"{function} is not known to the local stack, which resolves "
                f"{', '.join(sorted(self._functions))}"
            )
        return self._functions[function](argument)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self._names:
            return self._names[name]
        if name in self.resources.of_type("AWS::SQS::Queue"):
            raise TemplateError(f"Ref {name}: a queue's URL is not known here, only its Arn")
        if name in self.resources:
            return self.resources.name(name)
        raise TemplateError(f"Ref {name}: the template has no such parameter or resource")

    def _get_att(self, argument: list[str]) -> str:
        logical_id, attribute = argument if len(argument) == 2 else ("?", "?")  # noqa: PLR2004
        if attribute != "Arn" or logical_id not in self.resources:
            raise TemplateError(
                f"GetAtt {logical_id}.{attribute}: only Arn of a stream or bucket is known here"
            )
        return self.resources.arn(logical_id)

    def _sub(self, argument: str | list[Any]) -> str:
        pattern, variables = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            reference = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
            return text(f"Fn::Sub ${{{name}}}", self.value(variables.get(name, reference)))

        return _SUB_VARIABLE.sub(replace, pattern).replace("${!", "${")

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.value(parts))

    def _if(self, argument: list[Any]) -> Any:
        match argument:
            case [str(condition), if_true, if_false]:
                return self._value(if_true if self._conditions.holds(condition) else if_false)
        raise TemplateError(f"Fn::If {argument!r}: it takes a condition's name and two values")
