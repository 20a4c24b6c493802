"""How each function is set up, but for its numbers and its role."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from tests.unit.template.possible import numbers
from tests.unit.template.rendering import rendered, text
from tests.unit.template.resources import Template, at, of_type

type Environment = Mapping[str, Set[str]]

_REQUIRED: Mapping[str, Any] = {
    "PackageType": "Image",
    # Lambda then writes the fields of a log line as fields of JSON.
    "LoggingConfig.LogFormat": "JSON",
}
_COMMANDS = ("lambda_function.lambda_handler", "decision_function.lambda_handler")
# None is Lambda's default, which is INFO.
_LOG_LEVELS = (None, "TRACE", "DEBUG", "INFO")
_LEVELS = ("ApplicationLogLevel", "SystemLogLevel")


def problems(template: Template, environments: Mapping[str, Environment]) -> list[str]:
    """Where a function would run as something else than a predictor, or not at all.

    Args:
        template: A CloudFormation template.
        environments: Every variable of every function, with the texts that it may have.
    """
    functions = dict(of_type(template, "AWS::Lambda::Function"))
    rules = (_required, _command, _log_levels, _stopped)
    return [
        *(f"{name} is not on the list" for name in functions.keys() - environments.keys()),
        *(f"{name} is gone" for name in environments.keys() - functions.keys()),
        *(
            f"{name}{problem}"
            for name, function in functions.items()
            for problem in [
                *(found for rule in rules for found in rule(template, function)),
                *_environment(function, environments.get(name, {})),
            ]
        ),
    ]


def _required(template: Template, function: dict[str, Any]) -> Iterator[str]:
    for path, value in _REQUIRED.items():
        found = at(function, path)
        if found != value:
            yield f".{path} is {found}; it must be {value}"


def _command(template: Template, function: dict[str, Any]) -> Iterator[str]:
    """A function that decides is one that is told of its cases."""
    variables = at(function, "Environment.Variables") or {}
    command = {"Command": [_COMMANDS["DECISIONS_TABLE" in variables]]}
    if function.get("ImageConfig") != command:
        yield f".ImageConfig is {function.get('ImageConfig')}; it must be {command}"


def _log_levels(template: Template, function: dict[str, Any]) -> Iterator[str]:
    """The line that the metric of rejections is made of is of level INFO."""
    for key in _LEVELS:
        level = at(function, f"LoggingConfig.{key}")
        if level not in _LOG_LEVELS:
            yield f".{key} is {text(level)}, which leaves out INFO"


def _stopped(template: Template, function: dict[str, Any]) -> Iterator[str]:
    for number in numbers(template, function.get("ReservedConcurrentExecutions", [])):
        if not number.value >= 1:
            yield f".ReservedConcurrentExecutions may be {number}, with which it never runs"


def _environment(function: dict[str, Any], listed: Environment) -> Iterator[str]:
    variables = at(function, "Environment.Variables") or {}
    for name in variables.keys() - listed.keys():
        yield f": {name} is not on the list of its variables"
    for name in listed.keys() - variables.keys():
        yield f": {name} is not set"
    for name in variables.keys() & listed.keys():
        found = rendered(variables[name])
        if found != listed[name]:
            yield f": {name} is {sorted(found)}; it must be {sorted(listed[name])}"
