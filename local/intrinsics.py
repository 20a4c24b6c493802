"""CloudFormation's intrinsic functions, as far as the local stack needs them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT = "123456789012"
STACK = "local"

_SUB_VARIABLE = re.compile(r"\$\{([^!][^}]*)\}")
_NAME_PROPERTIES = {"AWS::Kinesis::Stream": "Name", "AWS::S3::Bucket": "BucketName"}


class TemplateError(Exception):
    """The template cannot be run locally; the message names the place."""


class Resolver:
    """Turns a template's values into plain ones.

    Args:
        document: The whole template.
        parameters: Values of its parameters, by name.
        region: Value of `AWS::Region`.

    Raises:
        TemplateError: A parameter is unknown, or is missing and has no default.
    """

    def __init__(
        self, document: Mapping[str, Any], parameters: Mapping[str, str], region: str
    ) -> None:
        self._resources: Mapping[str, Any] = document["Resources"]
        self._region = region
        self._names = {
            **_parameters(document.get("Parameters", {}), parameters),
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
        }
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
        }

    def value(self, value: Any) -> Any:
        """Resolve a value and everything in it.

        Raises:
            TemplateError: It uses a function or an attribute that is not known here.
        """
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function in self._functions:
                return self._functions[function](argument)
            if function.startswith("Fn::") or function == "Condition":
                raise TemplateError(
                    f"{function} is not known to the local stack, which resolves "
                    f"{', '.join(sorted(self._functions))}"
                )
        return {key: self.value(item) for key, item in value.items()}

    def name(self, logical_id: str) -> str:
        """The physical name of a stream or a bucket.

        Raises:
            TemplateError: The resource is of another type.
        """
        resource = self._resources[logical_id]
        name_property = _NAME_PROPERTIES.get(resource["Type"])
        if name_property is None:
            raise TemplateError(f"{logical_id} is a {resource['Type']}, which does not run locally")
        # CloudFormation makes up a name where none is given; this one can be a bucket's, too.
        given = resource.get("Properties", {}).get(name_property, f"{STACK}-{logical_id.lower()}")
        return str(self.value(given))

    def _ref(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        if name in self._resources:
            return self.name(name)
        raise TemplateError(f"Ref {name}: the template has no such parameter or resource")

    def _get_att(self, argument: list[str]) -> str:
        logical_id, attribute = argument if len(argument) == 2 else ("?", "?")  # noqa: PLR2004
        if attribute != "Arn" or logical_id not in self._resources:
            raise TemplateError(
                f"GetAtt {logical_id}.{attribute}: only Arn of a stream or bucket is known here"
            )
        name = self.name(logical_id)
        if self._resources[logical_id]["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}"
        return f"arn:aws:kinesis:{self._region}:{ACCOUNT}:stream/{name}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name in variables:
                return str(self.value(variables[name]))
            return str(self._get_att(name.split(".", 1)) if "." in name else self._ref(name))

        return _SUB_VARIABLE.sub(replace, text).replace("${!", "${")

    def _join(self, argument: list[Any]) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.value(parts))


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    unknown = given.keys() - declared.keys()
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    values = {}
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            raise TemplateError(f"the template's parameter {name} has no default and is not given")
        values[name] = given.get(name, str(parameter.get("Default")))
    return values
