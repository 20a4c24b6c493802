"""How metrics are made of what functions log."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.template.rendering import rendered, text
from tests.unit.template.resources import Template, at, of_type

_LOG_GROUP = "${LogGroup}"


def _counting(field: str, metric: str) -> Mapping[str, Any]:
    return {
        "LogGroupName": _LOG_GROUP,
        "FilterPattern": f"{{ $.{field} > 0 }}",
        # A dimension and a default value exclude each other.
        "MetricTransformations": [
            {
                "MetricNamespace": "RidePredictions/${AWS::StackName}",
                "MetricName": metric,
                "MetricValue": f"$.{field}",
                "Dimensions": [{"Key": "Model", "Value": "$.model"}],
            }
        ],
    }


LISTED: Mapping[str, Mapping[str, Any]] = {
    "Rejections": _counting("rejected", "Rejections"),
    "Undecided": _counting("undecided", "Undecided"),
}


def problems(template: Template) -> list[str]:
    """Where the metric of rejections is made of something else than what functions log."""
    filters = dict(of_type(template, "AWS::Logs::MetricFilter"))
    return [
        *(f"{name} is not on the list" for name in filters.keys() - LISTED.keys()),
        *(
            problem
            for name, listed in LISTED.items()
            for problem in _differences(name, filters.get(name, {}), listed)
        ),
        *_log_groups(template),
    ]


def _differences(
    name: str, properties: Mapping[str, Any], listed: Mapping[str, Any]
) -> Iterator[str]:
    found = _plain(properties)
    for key in sorted(found.keys() | listed.keys()):
        if found.get(key) != listed.get(key):
            yield f"{name}.{key} is {found.get(key)}; it must be {listed.get(key)}"


def _plain(value: Any) -> Any:
    """A value with its intrinsic functions as text, and all else as it is."""
    match value:
        case list():
            return [_plain(item) for item in value]
        case dict() if not any(key == "Ref" or key.startswith("Fn::") for key in value):
            return {key: _plain(inner) for key, inner in value.items()}
    return text(value)


def _log_groups(template: Template) -> Iterator[str]:
    for name, group in of_type(template, "AWS::Logs::LogGroup"):
        if group.get("LogGroupClass", "STANDARD") != "STANDARD":
            yield f"{name} is of class {text(group['LogGroupClass'])}, which has no metric filters"
    for name, function in of_type(template, "AWS::Lambda::Function"):
        groups = rendered(at(function, "LoggingConfig.LogGroup"))
        if groups != {_LOG_GROUP}:
            yield f"{name} logs to {sorted(groups)}, which the filter does not read"
