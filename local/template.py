"""What a SAM template says of streams, buckets, functions and Kinesis events.

Only what the local stack needs is resolved, so a template may hold anything else beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.intrinsics import Resolver, TemplateError
from local.settings import MappingSettings

# Lambda quotas: what a function has that does not say otherwise.
_DEFAULT_TIMEOUT_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Stream:
    """A Kinesis stream."""

    name: str
    shards: int


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function, with the mappings that feed it.

    Attributes:
        name: Its logical ID in the template.
        handler: `module.function`, from ImageConfig's Command or from Handler.
        environment: Its environment variables, resolved.
        timeout_seconds: How long one invocation may take.
        mappings: Its Kinesis events.
    """

    name: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    mappings: Sequence[MappingSettings]


@dataclass(frozen=True, slots=True)
class Template:
    """The part of a template that runs locally."""

    streams: Sequence[Stream]
    buckets: Sequence[str]
    functions: Sequence[Function]

    def function(self, name: str) -> Function:
        """The function with that logical ID.

        Raises:
            TemplateError: There is none.
        """
        for function in self.functions:
            if function.name == name:
                return function
        raise TemplateError(f"the template has no function {name!r}")


def read_template(path: Path, parameters: Mapping[str, str], region: str) -> Template:
    """Read a SAM template.

    Args:
        path: A YAML file.
        parameters: Values of its parameters; those with a default may be left out.
        region: The region that names in it refer to.

    Raises:
        TemplateError: A parameter is missing, or something needed cannot be resolved.
    """
    document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader, see below
    resources: dict[str, Any] = document["Resources"]
    _require_simulated(document)
    resolver = Resolver(document, parameters, region)

    def properties(kind: str) -> dict[str, Any]:
        return {
            name: resource.get("Properties", {})
            for name, resource in resources.items()
            if resource["Type"] == kind
        }

    return Template(
        streams=[
            Stream(resolver.name(name), int(resolver.value(stream.get("ShardCount", 1))))
            for name, stream in properties("AWS::Kinesis::Stream").items()
        ],
        buckets=[resolver.name(name) for name in properties("AWS::S3::Bucket")],
        functions=[
            _function(name, function, resolver)
            for name, function in properties("AWS::Serverless::Function").items()
        ],
    )


# What would make a function here another one than the template's on AWS.
_NOT_SIMULATED = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function")


def _require_simulated(document: Mapping[str, Any]) -> None:
    if "Globals" in document:
        raise TemplateError("the template has Globals, which the local stack does not apply")
    for name, resource in document["Resources"].items():
        if resource["Type"] in _NOT_SIMULATED or "Condition" in resource:
            raise TemplateError(
                f"{name} is a {resource['Type']}{' with a Condition' * ('Condition' in resource)}, "
                "which the local stack does not run"
            )


def _function(name: str, properties: Mapping[str, Any], resolver: Resolver) -> Function:
    variables = resolver.value(properties.get("Environment", {}).get("Variables", {}))
    events = properties.get("Events", {})
    return Function(
        name=name,
        handler=_handler(name, properties),
        environment={key: str(value) for key, value in variables.items()},
        timeout_seconds=int(resolver.value(properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS))),
        mappings=[
            MappingSettings.from_properties(f"{name}{key}", resolver.value(event["Properties"]))
            for key, event in events.items()
            if event["Type"] == "Kinesis"
        ],
    )


def _handler(name: str, properties: Mapping[str, Any]) -> str:
    command = properties.get("ImageConfig", {}).get("Command") or [properties.get("Handler")]
    if not isinstance(command[0], str):
        raise TemplateError(
            f"{name} says neither ImageConfig.Command nor Handler; one must name module.function"
        )
    return command[0]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is `{"Ref": "x"}`, `!Sub` is `Fn::Sub`."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)
