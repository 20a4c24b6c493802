"""What a SAM template says of streams, buckets, tables, queues, functions and their events.

Only what the local stack needs is resolved, so a template may hold anything else beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.sam.intrinsics import Resolver
from event_source_mapping.sam.rates import rate_seconds
from event_source_mapping.sam.sam_globals import with_globals
from event_source_mapping.sam.stream_resources import Stream
from event_source_mapping.sam.tables import DEFINED, Table
from event_source_mapping.sam.values import text, whole_number

# Lambda quotas: what a function has that does not say otherwise.
_DEFAULT_TIMEOUT_SECONDS = 3
_DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function, with the mappings that feed it.

    Attributes:
        name: Its logical ID in the template.
        handler: `module.function`, from ImageConfig's Command or from Handler.
        environment: Its environment variables, resolved.
        timeout_seconds: How long one invocation may take.
        mappings: Its Kinesis events.
        schedules: Seconds between its scheduled events, by their names.
        memory_mb: What it is told that it has; nothing here holds it to that.
    """

    name: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    mappings: Sequence[MappingSettings]
    schedules: Mapping[str, float] = field(default_factory=dict)
    memory_mb: int = _DEFAULT_MEMORY_MB


@dataclass(frozen=True, slots=True)
class Template:
    """The part of a template that runs locally."""

    streams: Sequence[Stream]
    buckets: Sequence[str]
    queues: Sequence[str]
    functions: Sequence[Function]
    tables: Sequence[Table] = ()

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
        TemplateError: A parameter is missing or its value not allowed, or something needed cannot
            be resolved.
    """
    document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a safe loader, see below
    resolver = Resolver(document, parameters, region)
    _require_simulated(resolver)
    globals_ = document.get("Globals", {})
    return Template(
        streams=[
            _stream(name, stream, resolver)
            for name, stream in resolver.resources.of_type("AWS::Kinesis::Stream").items()
        ],
        buckets=[
            resolver.resources.name(name) for name in resolver.resources.of_type("AWS::S3::Bucket")
        ],
        queues=[
            resolver.resources.name(name) for name in resolver.resources.of_type("AWS::SQS::Queue")
        ],
        functions=[
            _function(name, with_globals(name, function, globals_), resolver)
            for name, function in resolver.resources.of_type("AWS::Serverless::Function").items()
        ],
        tables=[
            _table(name, table, resolver)
            for name, table in resolver.resources.of_type("AWS::DynamoDB::Table").items()
        ],
    )


def _require_simulated(resolver: Resolver) -> None:
    # What would make a function here another one than the template's on AWS.
    others = resolver.resources.of_type("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function")
    for name, resource in others.items():
        raise TemplateError(f"{name} is a {resource['Type']}, which the local stack does not run")


def _stream(name: str, resource: Mapping[str, Any], resolver: Resolver) -> Stream:
    given = resource.get("Properties", {})
    capacity = resolver.properties(given, "ShardCount", "StreamModeDetails")
    return Stream.from_properties(name, resolver.resources.name(name), capacity)


def _table(name: str, resource: Mapping[str, Any], resolver: Resolver) -> Table:
    given = resolver.properties(resource.get("Properties", {}), *DEFINED, "TimeToLiveSpecification")
    expires = given.pop("TimeToLiveSpecification", {})
    return Table(resolver.resources.name(name), given, expires.get("AttributeName"))


def _function(name: str, given: Mapping[str, Any], resolver: Resolver) -> Function:
    properties = resolver.properties(
        given, "Environment", "Handler", "ImageConfig", "MemorySize", "Timeout"
    )
    variables = properties.get("Environment", {}).get("Variables", {})
    timeout = properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS)
    memory = properties.get("MemorySize", _DEFAULT_MEMORY_MB)
    return Function(
        name=name,
        handler=_handler(name, properties),
        environment={key: text(f"{name}: {key}", value) for key, value in variables.items()},
        timeout_seconds=whole_number(f"{name}: Timeout", timeout),
        mappings=_mappings(name, given.get("Events", {}), resolver),
        schedules={
            f"{name}{key}": rate_seconds(f"{name}{key}", resolver.value(event["Properties"]))
            for key, event in given.get("Events", {}).items()
            if event["Type"] == "Schedule"
        },
        memory_mb=whole_number(f"{name}: MemorySize", memory),
    )


# What else an event source mapping can poll: a function that waits for it would get nothing here.
_OTHER_SOURCES = ("DocumentDB", "DynamoDB", "MQ", "MSK", "SQS", "SelfManagedKafka")


def _mappings(name: str, events: Mapping[str, Any], resolver: Resolver) -> list[MappingSettings]:
    for key, event in events.items():
        if not isinstance(event, dict) or not isinstance(event.get("Type"), str):
            raise TemplateError(f"{name}: the event {key} is {event!r}; it must say its Type")
        if event["Type"] in _OTHER_SOURCES:
            raise TemplateError(
                f"{name} has the event {key} of type {event['Type']}; "
                "the local stack feeds functions from Kinesis only"
            )
    return [
        MappingSettings.from_properties(f"{name}{key}", resolver.value(event["Properties"]))
        for key, event in events.items()
        if event["Type"] == "Kinesis"
    ]


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
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # a mapping node
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short_form)
