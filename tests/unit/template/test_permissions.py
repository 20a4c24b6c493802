"""Everything that this project's functions may do on AWS. A change of a grant is a change here."""

import re
from typing import Any

import pytest

from ops.stack_template import listed
from tests.unit.template.permissions import permissions

READ = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
LOG = {
    "allow logs:CreateLogStream on ${LogGroup.Arn}",
    "allow logs:PutLogEvents on ${LogGroup.Arn}",
    # X-Ray has no resources to name ("Service Authorization Reference", AWS X-Ray).
    "allow xray:PutTelemetryRecords on *",
    "allow xray:PutTraceSegments on *",
}
FOR_LAMBDA = '{"Service": "lambda.amazonaws.com"} allow sts:AssumeRole'
MODELS = "arn:${AWS::Partition}:s3:::${ModelBucket}"
TRIPS = "arn:${AWS::Partition}:s3:::${TripsBucket}"
FAILURES = "${FailuresBucket.Arn}"


def model(prefix: str) -> set[str]:
    """Return the grants to read one model, by its run or by its own ID."""
    run = f"${{ExperimentId}}/${{{prefix}RunId}}/artifacts/*"
    logged = f"${{ExperimentId}}/models/${{{prefix}ModelId}}/artifacts/*"
    has_id = f"Has{prefix}ModelId"
    return {
        f"allow s3:GetObject on {MODELS}/{logged} if {has_id}",
        f"allow s3:GetObject on {MODELS}/{run} unless {has_id}",
        f'allow s3:ListBucket on {MODELS} when {{"StringLike": {{"s3:prefix": {{"Fn::If": '
        f'["{has_id}", {{"Fn::Sub": "{logged}"}}, {{"Fn::Sub": "{run}"}}]}}}}}}',
    }


def predictor(name: str) -> dict[str, set[str]]:
    """Return the grants of a predictor: to read its own model and its own copy of the stream."""
    title = name.capitalize()
    return {
        f"{title}Function": {f"runs as ${{{title}Role.Arn}}"},
        f"{title}Role": {
            FOR_LAMBDA,
            "has ${FunctionPolicy}",
            "has ${PredictorPolicy}",
            *model("" if name == "duration" else title),
            f"allow kinesis:SubscribeToShard on ${{{title}Consumer.ConsumerARN}}",
        },
    }


ALLOWED = {
    "PredictorPolicy": {
        *(f"allow {action} on ${{RideEvents.Arn}}" for action in READ),
        "allow kinesis:PutRecords on ${RidePredictions.Arn}",
    },
    "FunctionPolicy": {
        f"allow s3:PutObject on {FAILURES}/rejected/*",
        f"allow s3:PutObject on {FAILURES}/aws/lambda/*",
        f"allow s3:ListBucket on {FAILURES}",
        *LOG,
    },
    "FailuresBucketPolicy": {
        f'* deny s3:* on {bucket} when {{"Bool": {{"aws:SecureTransport": "false"}}}}'
        for bucket in (FAILURES, f"{FAILURES}/*")
    },
    **{owner: grants for name in listed() for owner, grants in predictor(name).items()},
    "DecisionFunction": {"runs as ${DecisionRole.Arn}"},
    "DecisionRole": {
        FOR_LAMBDA,
        "has ${FunctionPolicy}",
        *(f"allow {action} on ${{RidePredictions.Arn}}" for action in READ),
        "allow dynamodb:BatchGetItem on ${DecisionCases.Arn}",
        "allow dynamodb:PutItem on ${DecisionCases.Arn}",
        "allow dynamodb:Query on ${DecisionCases.Arn}/index/due",
        "allow kinesis:PutRecords on ${RideDecisions.Arn}",
    },
    "DecisionFunctionTickPermission": {
        'AWS::Lambda::Permission {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": '
        '"DecisionFunction"}, "Principal": "events.amazonaws.com", "SourceArn": {"Fn::GetAtt": '
        '["DecisionFunctionTick", "Arn"]}}'
    },
    "BatchFunction": {"runs as ${BatchRole.Arn}"},
    "BatchRole": {
        FOR_LAMBDA,
        *model(""),
        f"allow s3:GetObject on {TRIPS}/trips/*",
        *(
            f"allow s3:{action} on {TRIPS}/scored/*"
            for action in ("AbortMultipartUpload", "GetObject", "PutObject")
        ),
        f"allow s3:ListBucket on {TRIPS}",
        *LOG,
    },
    "BatchTimer": {"runs as ${BatchTimerRole.Arn}"},
    "BatchTimerRole": {
        '{"Service": "scheduler.amazonaws.com"} allow sts:AssumeRole when {"StringEquals": '
        '{"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}',
        "allow lambda:InvokeFunction on ${BatchFunction.Arn}",
    },
}


def test_template_grants_what_is_listed_here(template: dict[str, Any]) -> None:
    """Every grant of every role, policy and function is one that was decided on."""
    found = permissions(template)

    assert {owner: found.get(owner, set()) - grants for owner, grants in ALLOWED.items()} == {
        owner: set() for owner in ALLOWED
    }
    assert found == ALLOWED


def test_list_names_actions_and_resources() -> None:
    """Only X-Ray, which has no resources, and objects below a folder are allowed with a `*`."""
    grants = {grant for listed in ALLOWED.values() for grant in listed if " allow " in f" {grant}"}
    bare = {re.sub(r" (if|unless|when) .*", "", grant) for grant in grants}
    named = re.compile(r"(.* )?allow [\w:]+( on [^*/]+((/[^*/]+)+(/\*)?)?)?")

    assert {grant for grant in bare if not named.fullmatch(grant)} == {
        "allow xray:PutTelemetryRecords on *",
        "allow xray:PutTraceSegments on *",
    }


def statement(**changes: Any) -> dict[str, Any]:
    """Return a template with one statement of one role."""
    plain = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
    policy = {"PolicyDocument": {"Statement": [{**plain, **changes}]}}
    return {"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "allow s3:GetObject on arn:aws:s3:::a/*"),
        ({"Action": ["*"]}, "allow * on arn:aws:s3:::a/*"),
        ({"Resource": {"Fn::Sub": "${B.Arn}*"}}, "allow s3:GetObject on ${B.Arn}*"),
        (
            {"Resource": {"Fn::If": ["C", "*", {"Ref": "AWS::NoValue"}]}},
            "allow s3:GetObject on * if C",
        ),
        ({"Principal": {"AWS": "*"}}, '{"AWS": "*"} allow s3:GetObject on arn:aws:s3:::a/*'),
        ({"Effect": {"Ref": "E"}}, "${e} s3:GetObject on arn:aws:s3:::a/*"),
        ({"NotAction": "x"}, 'allow s3:GetObject on arn:aws:s3:::a/* when {"NotAction": "x"}'),
    ],
)
def test_permissions_show_all_of_a_statement(changes: dict[str, Any], line: str) -> None:
    """A grant is a line with its action, its resource, and everything that widens or narrows it."""
    assert permissions(statement(**changes)) == {"A": {line}}


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        (
            {
                "Type": "AWS::IAM::Role",
                "Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/A"]},
            },
            "has arn:aws:iam::aws:policy/A",
        ),
        (
            {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE"}},
            'AWS::Lambda::Url {"AuthType": "NONE"}',
        ),
        (
            {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Roles": ["admin"]}},
            'is attached to Roles ["admin"]',
        ),
        (
            {"Type": "AWS::Lambda::Function", "Properties": {"Role": "arn:aws:iam::1:role/admin"}},
            "runs as arn:aws:iam::1:role/admin",
        ),
    ],
)
def test_permissions_show_grants_outside_of_statements(resource: dict[str, Any], line: str) -> None:
    """Attached policies, function URLs and roles of functions are grants, too."""
    assert permissions({"Resources": {"A": resource}}) == {"A": {line}}
