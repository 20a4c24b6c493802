import json
from typing import Any

import pytest

from tests.sam_transform import source
from tests.unit.template import least_privilege
from tests.unit.template.changes import GONE, change
from tests.unit.template.policy_documents import problems

DOCUMENT = "PredictorPolicy/PolicyDocument"
COMMON = "FunctionPolicy/PolicyDocument"
MODEL = "DurationRole/Policies/Model/PolicyDocument"
TRUST = "TipRole/AssumeRolePolicyDocument"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
AS_TEXT = json.dumps({"Version": "2012-10-17", "Statement": [ALL]})
INCLUDE = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b.json"}}}
EITHER = {"Fn::If": ["PredictsTips", ALL, {"Ref": "AWS::NoValue"}]}


def test_template_has_policies_that_can_be_read(template: dict[str, Any]) -> None:
    """Each statement of each policy is seen by the checks of what it grants."""
    assert problems(template) == []


def test_template_has_no_macro_but_sam() -> None:
    """Another one would make of the template what these tests do not see."""
    assert source()["Transform"] == "AWS::Serverless-2016-10-31"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (DOCUMENT, AS_TEXT, "PredictorPolicy.PolicyDocument is not a plain document: {"),
        (DOCUMENT, INCLUDE, "PolicyDocument has an Fn::Transform, which adds"),
        (DOCUMENT, INCLUDE, "PolicyDocument is not a plain document"),
        (DOCUMENT, {"Fn::If": ["A", {"Statement": []}, {}]}, "is not a plain document"),
        (DOCUMENT, {"Fn::Sub": AS_TEXT}, "is not a plain document"),
        (f"{DOCUMENT}/Fn::Transform", INCLUDE["Fn::Transform"], "has an Fn::Transform"),
        (f"{DOCUMENT}/statement", [ALL], "is not a plain document"),
        (f"{DOCUMENT}/Statement", ALL, "has no list of statements"),
        (f"{DOCUMENT}/Statement", json.dumps([ALL]), "has no list of statements"),
        (f"{DOCUMENT}/Statement", {"Fn::If": ["A", [ALL], [ALL]]}, "has no list of statements"),
        (f"{DOCUMENT}/Statement", GONE, "has no list of statements"),
        (f"{COMMON}/Statement/Log", json.dumps(ALL), "has no plain statement"),
        (f"{COMMON}/Statement/Log", INCLUDE, "has no plain statement"),
        (f"{COMMON}/Statement/Log", [ALL], "has no plain statement"),
        (f"{COMMON}/Statement/Log", {"Fn::If": ["A", ALL, "x"]}, "has no plain statement"),
        (f"{COMMON}/Statement/Log", {"Fn::If": ["A", ALL]}, "has no plain statement"),
        (f"{COMMON}/Statement/Log/Effect", GONE, "has no plain statement"),
        (f"{COMMON}/Statement/Log/Fn::Transform", {"Name": "More"}, "has no plain statement"),
        (MODEL, AS_TEXT, "DurationRole.Policies.0.PolicyDocument is not a plain document"),
        ("DurationRole/Policies", {"Fn::FindInMap": ["A", "B", "C"]}, "has no plain policy"),
        ("DurationRole/Policies/Model", INCLUDE, "DurationRole.Policies has no plain policy"),
        (TRUST, AS_TEXT, "TipRole.AssumeRolePolicyDocument is not a plain document"),
        ("FailuresBucketPolicy/PolicyDocument", AS_TEXT, "FailuresBucketPolicy.PolicyDocument is"),
        ("LogGroup/ResourcePolicyDocument", AS_TEXT, "LogGroup.ResourcePolicyDocument is not"),
        ("Resources/RideEvents/Properties", INCLUDE, "RideEvents.Properties has an Fn::Transform"),
        ("Resources/RideEvents/Fn::ForEach::A", ["A", [], {}], "RideEvents has an Fn::ForEach::A"),
    ],
)
def test_problems_policy_that_cannot_be_read_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A grant in a form that is not looked into is found for its form."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))
    assert any(message in problem for problem in least_privilege.problems(template))


def test_problems_statement_under_a_condition_can_be_read(template: dict[str, Any]) -> None:
    """An If of statements is looked into, whatever the condition."""
    change(template, f"{COMMON}/Statement/Log", EITHER)

    assert problems(template) == []
    assert any("action * is not one" in found for found in least_privilege.problems(template))
