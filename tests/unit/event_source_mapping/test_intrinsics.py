from typing import Any

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.intrinsics import Resolver

NO_VALUE = {"Ref": "AWS::NoValue"}
DOCUMENT: dict[str, Any] = {
    "Conditions": {"Yes": {"Fn::Equals": ["a", "a"]}, "No": {"Fn::Equals": ["a", "b"]}},
    "Resources": {
        "Here": {"Type": "AWS::Kinesis::Stream", "Condition": "Yes", "Properties": {"Name": "x"}},
        "Gone": {"Type": "AWS::Kinesis::Stream", "Condition": "No"},
        "Unnamed": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": NO_VALUE}},
    },
}


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(DOCUMENT, {}, "eu-west-1")


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Fn::If": ["Yes", {"Ref": "Here"}, {"Ref": "Gone"}]}, "x"),
        ({"Fn::If": ["No", "a", {"Fn::If": ["Yes", "b", "c"]}]}, "b"),
        ({"kept": 1, "left out": NO_VALUE}, {"kept": 1}),
        ({"left out": {"Fn::If": ["No", 1, NO_VALUE]}}, {}),
        ([1, NO_VALUE, [NO_VALUE]], [1, []]),
        ({"Fn::Sub": ["${x}", {"x": {"Fn::If": ["Yes", True, "no"]}}]}, "true"),
        ({"Ref": "Unnamed"}, "local-unnamed"),
    ],
)
def test_value_is_what_cloudformation_makes_of_it(
    resolver: Resolver, value: Any, resolved: Any
) -> None:
    """Only the side of Fn::If that is taken counts, and AWS::NoValue leaves nothing behind."""
    assert resolver.value(value) == resolved


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::If": ["Maybe", 1, 2]}, "condition Maybe: the template has no such condition"),
        ({"Fn::If": ["Yes", 1]}, "it takes a condition's name and two values"),
        ({"Fn::If": [{"Condition": "Yes"}, 1, 2]}, "it takes a condition's name and two values"),
        ({"Ref": "Gone"}, "Gone does not exist: its condition No is false"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Gone does not exist: its condition No is false"),
        (NO_VALUE, "where there must be a value"),
        ({"Fn::Sub": "a${AWS::NoValue}"}, "where there must be a value"),
        ({"Fn::Sub": ["${x}", {"x": []}]}, r"Fn::Sub \$\{x\} is \[\]; it must be a string"),
        ({"Condition": "Yes"}, "Condition is not known to the local stack"),
    ],
)
def test_value_that_cannot_be_told_is_refused(resolver: Resolver, value: Any, message: str) -> None:
    """What CloudFormation would not resolve is not resolved here."""
    with pytest.raises(TemplateError, match=message):
        resolver.value(value)


def test_resource_whose_condition_is_false_does_not_exist(resolver: Resolver) -> None:
    """Resources of a type are those that CloudFormation would create."""
    assert list(resolver.resources.of_type("AWS::Kinesis::Stream")) == ["Here"]
