from typing import Any

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.conditions import Conditions

NAMES = {"Stage": "prod", "Tip": "", "Count": "3", "AWS::Region": "eu-west-1"}
TRUE: Any = {"Fn::Equals": ["a", "a"]}
FALSE: Any = {"Fn::Equals": ["a", "b"]}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"Fn::Equals": [{"Ref": "Stage"}, "prod"]}, True),
        ({"Fn::Equals": [{"Ref": "Stage"}, {"Ref": "Tip"}]}, False),
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}, True),
        ({"Fn::Equals": [{"Ref": "Count"}, 3]}, True),
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Tip"}, ""]}]}, False),
        ({"Fn::And": [TRUE, TRUE]}, True),
        ({"Fn::And": [TRUE, TRUE, FALSE]}, False),
        ({"Fn::Or": [FALSE, TRUE]}, True),
        ({"Fn::Or": [FALSE, FALSE]}, False),
        ({"Condition": "Base"}, True),
        ({"Fn::Not": [{"Condition": "Base"}]}, False),
    ],
)
def test_condition_holds_as_in_cloudformation(expression: Any, holds: bool) -> None:
    """Each condition function gives what CloudFormation's gives."""
    assert Conditions({"C": expression, "Base": TRUE}, NAMES).holds("C") is holds


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"Fn::Contains": ["a", "b"]}, "Fn::Contains.* is not known to the local stack"),
        ({"Fn::Equals": ["a"]}, "Fn::Equals with two values"),
        ({"Fn::Not": [TRUE, TRUE]}, "Fn::Not with one condition"),
        ({"Fn::And": [TRUE]}, "two or more"),
        ({"Fn::Or": [TRUE, "true"]}, "'true' is not known"),
        ({"Fn::Equals": [{"Ref": "Stream"}, "a"]}, "Ref Stream is not a parameter"),
        ({"Fn::Equals": [{"Ref": "AWS::NoValue"}, "a"]}, "Ref AWS::NoValue is not a parameter"),
        ({"Fn::Equals": [{"Fn::Select": [0, []]}, "a"]}, "Fn::Equals that is no Ref is "),
        ({"Condition": "Nothing"}, "condition Nothing: the template has no such condition"),
        ({"Fn::Not": [{"Condition": "C"}]}, "condition C depends on itself: C > C"),
    ],
)
def test_condition_that_is_not_known_is_refused(expression: Any, message: str) -> None:
    """A condition that cannot be told is an error, and neither true nor false."""
    with pytest.raises(TemplateError, match=message):
        Conditions({"C": expression}, NAMES).holds("C")
