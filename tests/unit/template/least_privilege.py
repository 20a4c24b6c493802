"""Rules that any grant keeps, whatever the list of grants says."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.template import policy_documents, wide_parameters
from tests.unit.template.rendering import rendered, text
from tests.unit.template.resources import Template, of_type, type_of
from tests.unit.template.statements import Statement, statements, trust

# X-Ray has no resources to name ("Service Authorization Reference", AWS X-Ray).
_WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
# Bucket and named prefix, before the one * that stands for the names of objects.
_OBJECTS = re.compile(
    r"(?:arn:\$\{AWS::Partition\}:s3:::[^/*?]+|(?P<bucket>\$\{\w+\.Arn\}))(?:/[^/*?]+)+/\*"
)
_LOG_STREAMS = re.compile(r"arn:[^*?]+:log-group:(?P<group>\$\{\w+\}):(?:log-stream:)?\*")
_CHECKED_KEYS = {"Sid", "Effect", "Action", "Resource", "Condition"}
# What grants by a property of its own, or may hold resources that do, is checked nowhere here, so a
# template has none of it.
_CHECKED_TYPES = {"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::S3::BucketPolicy"}
_GRANTING_TYPE = re.compile(
    r"AWS::(IAM|RAM|CloudFormation)::.*|Custom::.*|.*(Policy|PolicyAssociation|Permission|Url)"
)
# Who may assume a role: Lambda, or for the role of a schedule this account's schedules.
_LAMBDA = {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
_SCHEDULER = {
    "Principal": {"Service": "scheduler.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
}
_ONLY_BY_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def problems(template: Template) -> list[str]:
    """Where a template lets anyone do more than it must."""
    allowing = [statement for statement in statements(template) if statement.allows]
    rules = (_unchecked_keys, _actions, _resources, _parameters)
    return [
        *policy_documents.problems(template),
        *(found for statement in allowing for rule in rules for found in rule(template, statement)),
        *_unchecked_types(template),
        *_trust(template),
        *_attached(template),
        *_roles_of_functions(template),
        *_roles_of_schedules(template),
        *_open_to_plain_http(template),
    ]


def _unchecked_keys(template: Template, statement: Statement) -> Iterator[str]:
    for key in statement.body.keys() - _CHECKED_KEYS:
        yield f"{statement.name} has a {key}: {text(statement.body[key])}"


def _actions(template: Template, statement: Statement) -> Iterator[str]:
    for action in statement.actions:
        if re.search(r"[*?{]", action):
            yield f"{statement.name}: action {action} is not one action"


def _resources(template: Template, statement: Statement) -> Iterator[str]:
    for resource in statement.resources:
        bare = re.sub(r" (if|unless) \w+", "", resource)
        if bare == "*" and statement.actions <= _WITHOUT_RESOURCES:
            continue
        if re.search(r"[*?]", bare) and not _names_below_a_prefix(template, bare):
            yield f"{statement.name}: resource {resource} is too wide"


def _names_below_a_prefix(template: Template, resource: str) -> bool:
    if match := _OBJECTS.fullmatch(resource):
        return not match["bucket"] or type_of(template, match["bucket"]) == "AWS::S3::Bucket"
    if match := _LOG_STREAMS.fullmatch(resource):
        return type_of(template, match["group"]) == "AWS::Logs::LogGroup"
    return False


def _parameters(template: Template, statement: Statement) -> Iterator[str]:
    """A parameter that may hold a * or a / widens what looks narrow."""
    used = " ".join([*statement.resources, *statement.condition])
    for name in set(re.findall(r"\$\{(\w+)\}", used)) & template["Parameters"].keys():
        problem = wide_parameters.problem(template["Parameters"][name])
        if problem is not None:
            yield f"{statement.name}: parameter {name} {problem}"


def _unchecked_types(template: Template) -> Iterator[str]:
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if _lets_a_rule_invoke(template, resource):
            continue
        if _GRANTING_TYPE.fullmatch(kind) and kind not in _CHECKED_TYPES:
            yield f"{name} is a {kind}, which grants what is not checked"


def _lets_a_rule_invoke(template: Template, resource: Mapping[str, Any]) -> bool:
    """Whether all that is granted is that a rule of this template invokes a function of it."""
    given = resource.get("Properties", {})
    return (
        resource["Type"] == "AWS::Lambda::Permission"
        and given.keys() == {"Action", "FunctionName", "Principal", "SourceArn"}
        and (given["Action"], given["Principal"])
        == ("lambda:InvokeFunction", "events.amazonaws.com")
        and type_of(template, text(given["FunctionName"])) == "AWS::Lambda::Function"
        and type_of(template, text(given["SourceArn"])) == "AWS::Events::Rule"
    )


def _trust(template: Template) -> Iterator[str]:
    timers = _roles_of_timers(template)
    for statement in trust(template):
        is_timer = f"${{{statement.owner}.Arn}}" in timers
        expected, who = (_SCHEDULER, "the scheduler") if is_timer else (_LAMBDA, "Lambda")
        body = {key: value for key, value in statement.body.items() if key not in ("Sid", "Effect")}
        if statement.allows and _single(body) != expected:
            yield f"{statement.name}: someone else than {who} may assume the role: {text(body)}"


def _roles_of_timers(template: Template) -> set[str]:
    return {
        role
        for _, timer in of_type(template, "AWS::Scheduler::Schedule")
        for role in rendered(timer["Target"]["RoleArn"])
    }


def _single(value: Any) -> Any:
    """A value where a list of one member is that member, as IAM reads it."""
    if isinstance(value, dict):
        return {key: _single(inner) for key, inner in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _attached(template: Template) -> Iterator[str]:
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in rendered(role.get("ManagedPolicyArns", [])):
            bare = re.sub(r" (if|unless) \w+", "", policy)
            if type_of(template, bare) != "AWS::IAM::ManagedPolicy":
                yield f"{name}: policy {policy} is not one of this template"
    for name, properties in of_type(template, "AWS::IAM::ManagedPolicy"):
        for key in properties.keys() & {"Roles", "Users", "Groups"}:
            yield f"{name} attaches itself to {key} {text(properties[key])}"


def _roles_of_functions(template: Template) -> Iterator[str]:
    for name, function in of_type(template, "AWS::Lambda::Function"):
        for role in rendered(function.get("Role", [])):
            if type_of(template, role) != "AWS::IAM::Role":
                yield f"{name} runs as {role}, which is not a role of this template"


def _roles_of_schedules(template: Template) -> Iterator[str]:
    for name, timer in of_type(template, "AWS::Scheduler::Schedule"):
        for role in rendered(timer["Target"]["RoleArn"]):
            if type_of(template, role) != "AWS::IAM::Role":
                yield f"{name} starts its target as {role}, which is not a role of this template"


def _open_to_plain_http(template: Template) -> Iterator[str]:
    for name, _ in of_type(template, "AWS::S3::Bucket"):
        policies = {
            policy
            for policy, properties in of_type(template, "AWS::S3::BucketPolicy")
            if text(properties["Bucket"]) == f"${{{name}}}"
        }
        own = (statement for statement in statements(template) if statement.owner in policies)
        if not any(_denies_plain_http(name, statement) for statement in own):
            yield f"{name} may be reached without TLS"


def _denies_plain_http(bucket: str, statement: Statement) -> bool:
    everything = {f"${{{bucket}.Arn}}", f"${{{bucket}.Arn}}/*"}
    body = {key: statement.body.get(key) for key in _ONLY_BY_TLS}
    return body == _ONLY_BY_TLS and everything <= statement.resources
