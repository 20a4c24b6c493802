from typing import Any

import pytest

from tests.sam_transform import source, transformed
from tests.unit.template import least_privilege
from tests.unit.template.allow_list import Grant, problems
from tests.unit.template.changes import GONE, change

BUCKET = "arn:${AWS::Partition}:s3:::${ModelBucket}"
DURATION_RUN = "${ExperimentId}/${RunId}/artifacts/* unless HasModelId"
DURATION_MODEL = "${ExperimentId}/models/${ModelId}/artifacts/* if HasModelId"
TRIPS = "arn:${AWS::Partition}:s3:::${TripsBucket}"
TIP_RUN = "${ExperimentId}/${TipRunId}/artifacts/* unless HasTipModelId"
TIP_MODEL = "${ExperimentId}/models/${TipModelId}/artifacts/* if HasTipModelId"

READ = {
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
}
# All that this project's functions may do on AWS. Whoever widens it says so here.
ALLOWED = {
    "PredictorPolicy/ReadRides": Grant(READ, {"${RideEvents.Arn}"}),
    "DurationRole/ReadOwnCopy": Grant(
        {"kinesis:SubscribeToShard"}, {"${DurationConsumer.ConsumerARN}"}
    ),
    "TipRole/ReadOwnCopy": Grant({"kinesis:SubscribeToShard"}, {"${TipConsumer.ConsumerARN}"}),
    "DecisionRole/ReadPredictions": Grant(READ, {"${RidePredictions.Arn}"}),
    "DecisionRole/KeepCases": Grant(
        {"dynamodb:BatchGetItem", "dynamodb:PutItem"}, {"${DecisionCases.Arn}"}
    ),
    "DecisionRole/FindDueCases": Grant({"dynamodb:Query"}, {"${DecisionCases.Arn}/index/due"}),
    "DecisionRole/PutDecisions": Grant({"kinesis:PutRecords"}, {"${RideDecisions.Arn}"}),
    "PredictorPolicy/PutPredictions": Grant({"kinesis:PutRecords"}, {"${RidePredictions.Arn}"}),
    "FunctionPolicy/SetFailuresAside": Grant(
        {"s3:PutObject"},
        {"${FailuresBucket.Arn}/rejected/*", "${FailuresBucket.Arn}/aws/lambda/*"},
    ),
    "FunctionPolicy/FindFailuresBucket": Grant({"s3:ListBucket"}, {"${FailuresBucket.Arn}"}),
    "FunctionPolicy/Log": Grant({"logs:CreateLogStream", "logs:PutLogEvents"}, {"${LogGroup.Arn}"}),
    "FunctionPolicy/Trace": Grant({"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, {"*"}),
    "DurationRole/GetModel": Grant(
        {"s3:GetObject"}, {f"{BUCKET}/{DURATION_RUN}", f"{BUCKET}/{DURATION_MODEL}"}
    ),
    "DurationRole/ListModel": Grant(
        {"s3:ListBucket"},
        {BUCKET},
        {f"StringLike s3:prefix {DURATION_RUN}", f"StringLike s3:prefix {DURATION_MODEL}"},
    ),
    "TipRole/GetModel": Grant({"s3:GetObject"}, {f"{BUCKET}/{TIP_RUN}", f"{BUCKET}/{TIP_MODEL}"}),
    "TipRole/ListModel": Grant(
        {"s3:ListBucket"},
        {BUCKET},
        {f"StringLike s3:prefix {TIP_RUN}", f"StringLike s3:prefix {TIP_MODEL}"},
    ),
    "BatchRole/GetModel": Grant(
        {"s3:GetObject"}, {f"{BUCKET}/{DURATION_RUN}", f"{BUCKET}/{DURATION_MODEL}"}
    ),
    "BatchRole/ListModel": Grant(
        {"s3:ListBucket"},
        {BUCKET},
        {f"StringLike s3:prefix {DURATION_RUN}", f"StringLike s3:prefix {DURATION_MODEL}"},
    ),
    "BatchRole/GetTrips": Grant({"s3:GetObject"}, {f"{TRIPS}/trips/*"}),
    "BatchRole/PutScored": Grant(
        {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"}, {f"{TRIPS}/scored/*"}
    ),
    "BatchRole/ListTrips": Grant({"s3:ListBucket"}, {TRIPS}),
    "BatchRole/Log": Grant({"logs:CreateLogStream", "logs:PutLogEvents"}, {"${LogGroup.Arn}"}),
    "BatchRole/Trace": Grant({"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, {"*"}),
    "BatchTimerRole/StartScoring": Grant({"lambda:InvokeFunction"}, {"${BatchFunction.Arn}"}),
}

POLICY = "PredictorPolicy/PolicyDocument/Statement"
COMMON = "FunctionPolicy/PolicyDocument/Statement"
MODEL = "DurationRole/Policies/Model/PolicyDocument/Statement"
TLS = "FailuresBucketPolicy/PolicyDocument/Statement/OnlyByTls"
TIMER = "BatchTimerRole/AssumeRolePolicyDocument/Statement/0"
TRUST = "TipRole/AssumeRolePolicyDocument/Statement/0"
PREFIX_OF_RUN = f"StringLike s3:prefix {DURATION_RUN}"
RIDES_AND_MORE = ["kinesis:GetRecords", "kinesis:DeleteStream"]
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonKinesisFullAccess"


def test_template_grants_what_is_on_the_list(template: dict[str, Any]) -> None:
    """Every grant is one that was decided on: action, resource and condition."""
    assert problems(template, ALLOWED) == []


def test_template_keeps_the_rules_of_least_privilege(template: dict[str, Any]) -> None:
    """A grant that gets onto the list keeps the rules that are not a matter of decision."""
    assert least_privilege.problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            f"{POLICY}/ReadRides/Action",
            "kinesis:*",
            "PredictorPolicy/ReadRides: action kinesis:* is",
        ),
        (f"{POLICY}/ReadRides/Action", RIDES_AND_MORE, "ReadRides: action kinesis:DeleteStream is"),
        (f"{POLICY}/ReadRides/Action", "kinesis:GetRecords", "action kinesis:ListShards is gone"),
        (f"{POLICY}/PutPredictions/Resource", "*", "PredictorPolicy/PutPredictions: resource * is"),
        (
            f"{POLICY}/PutPredictions/Sid",
            "Other",
            "Other is not on the list: ['kinesis:PutRecords'",
        ),
        (f"{COMMON}/SetFailuresAside/Resource", "${FailuresBucket.Arn}/rejected/*", "${!Failures"),
        (f"{MODEL}/GetModel/Resource", {"Fn::Sub": f"{BUCKET}/*"}, f"resource {BUCKET}/* is not"),
        (f"{MODEL}/ListModel/Condition", GONE, f"ListModel: condition {PREFIX_OF_RUN} is gone"),
        (f"{MODEL}/ListModel/Condition/StringLike/s3:prefix", "*", "StringLike s3:prefix * is not"),
        (f"{MODEL}/ListModel/Condition", {"Fn::If": ["A", {}, {}]}, '{"Fn::If": ["A", {}, {}]}'),
        (f"{TLS}/Effect", "Allow", "FailuresBucketPolicy/OnlyByTls is not on the list: ['s3:*']"),
        (f"{TLS}/Effect", {"Ref": "Effect"}, "FailuresBucketPolicy/OnlyByTls is not on the list"),
    ],
)
def test_problems_change_of_a_grant_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """Whatever is added to a statement, or taken from it, is said with the statement's name."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template, ALLOWED))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{POLICY}/ReadRides/Action", "kinesis:*", "PredictorPolicy/ReadRides: action kinesis:*"),
        (f"{POLICY}/ReadRides/Action", "kinesis:Get?ecords", "is not one action"),
        (f"{POLICY}/PutPredictions/Resource", "*", "PutPredictions: resource * is too wide"),
        (f"{COMMON}/Trace/Action", "xray:GetTraceSummaries", "Trace: resource * is too wide"),
        (f"{COMMON}/Log/NotAction", "s3:GetObject", "Log has a NotAction: s3:GetObject"),
        (f"{COMMON}/Log/NotResource", "x", "Log has a NotResource: x"),
        (f"{COMMON}/Log/Resource", {"Fn::Sub": "${LogGroup.Arn}*"}, "too wide"),
        (
            f"{MODEL}/GetModel/Resource",
            {"Fn::Sub": f"{BUCKET}/*"},
            f"GetModel: resource {BUCKET}/*",
        ),
        (f"{MODEL}/GetModel/Resource", {"Fn::Sub": f"{BUCKET}/a*"}, "too wide"),
        (f"{MODEL}/GetModel/Resource", {"Fn::Sub": f"{BUCKET}/*/b/*"}, "too wide"),
        (f"{MODEL}/GetModel/Resource", {"Fn::Sub": "${RideEvents.Arn}/a/*"}, "too wide"),
        (f"{TLS}/Effect", "Allow", "FailuresBucketPolicy/OnlyByTls has a Principal: *"),
        (f"{TLS}/Effect", "Allow", "FailuresBucket may be reached without TLS"),
        (f"{TLS}/Resource", {"Fn::GetAtt": ["FailuresBucket", "Arn"]}, "without TLS"),
        (f"{TLS}/Condition/Bool/aws:SecureTransport", "true", "without TLS"),
        (f"{TRUST}/Principal/Service", "events.amazonaws.com", "TipRole/1: someone else"),
        (f"{TRUST}/Principal", {"AWS": "*"}, "someone else than Lambda"),
        (f"{TRUST}/Principal/AWS", "arn:aws:iam::1:root", "someone else than Lambda"),
        (f"{TIMER}/Principal/Service", "lambda.amazonaws.com", "BatchTimerRole/1: someone else"),
        (f"{TIMER}/Principal/Service", "events.amazonaws.com", "BatchTimerRole/1: someone else"),
        (f"{TIMER}/Condition", GONE, "BatchTimerRole/1: someone else"),
        (
            "BatchTimer/Target/RoleArn",
            {"Fn::GetAtt": ["BatchRole", "Arn"]},
            "BatchRole/1: someone else than the scheduler",
        ),
        (
            "BatchTimer/Target/RoleArn",
            "arn:aws:iam::1:role/admin",
            "BatchTimer starts its target as arn:aws:iam::1:role/admin",
        ),
        ("DurationRole/ManagedPolicyArns", [FULL_ACCESS], f"DurationRole: policy {FULL_ACCESS} is"),
        ("PredictorPolicy/Roles", ["admin"], 'PredictorPolicy attaches itself to Roles ["admin"]'),
        (
            "TipFunction/Role",
            "arn:aws:iam::1:role/admin",
            "TipFunction runs as arn:aws:iam::1:role",
        ),
        ("Parameters/RunId/AllowedPattern", ".+", "parameter RunId may be *"),
        ("Parameters/ExperimentId/AllowedPattern", GONE, "parameter ExperimentId may be *"),
        ("Resources/Url", {"Type": "AWS::Lambda::Url"}, "Url is a AWS::Lambda::Url, which grants"),
        ("Resources/Anyone", {"Type": "AWS::Lambda::Permission"}, "grants what is not checked"),
        ("Resources/More", {"Type": "AWS::IAM::RolePolicy"}, "grants what is not checked"),
        ("Resources/More", {"Type": "AWS::CloudFormation::Stack"}, "grants what is not checked"),
        ("Resources/More", {"Type": "Custom::Grant"}, "grants what is not checked"),
    ],
)
def test_least_privilege_wider_grant_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A grant of any kind that is wider than it must be is found without the list."""
    change(template, path, value)

    assert any(message in problem for problem in least_privilege.problems(template))


def test_problems_added_statement_is_named(template: dict[str, Any]) -> None:
    """A new statement is new, however narrow, and under a condition of the template, too."""
    more = {
        "Sid": "More",
        "Effect": "Allow",
        "Action": "sns:Publish",
        "Resource": {"Ref": "Alarms"},
    }
    change(template, f"{COMMON}/Log", {"Fn::If": ["PredictsTips", more, {"Ref": "AWS::NoValue"}]})

    found = problems(template, ALLOWED)

    assert "FunctionPolicy/More is not on the list: ['sns:Publish'] on ['${Alarms}']" in found
    assert "FunctionPolicy/Log is on the list and not in the template" in found


def test_role_that_sam_would_make_is_named() -> None:
    """SAM makes a role for a function that has none, and attaches AWS's own policies to it."""
    document = source()
    function = document["Resources"]["DurationFunction"]["Properties"]
    del function["Role"]
    function["Policies"] = ["AmazonKinesisFullAccess"]

    found = least_privilege.problems(transformed(document))

    assert f"DurationFunctionRole: policy {FULL_ACCESS} is not one of this template" in found
