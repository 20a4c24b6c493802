from typing import Any

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.parameters import parameter_values

MODE = {"Type": "String", "AllowedValues": ["PROVISIONED", "ON_DEMAND"]}
COUNT = {"Type": "Number", "MinValue": 1, "MaxValue": 200}
DIGEST = {"Type": "String", "AllowedPattern": "([0-9a-f]{4})?"}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (MODE, "ON_DEMAND"),
        (COUNT, "1"),
        (COUNT, "200"),
        (COUNT, "1.5"),
        (DIGEST, ""),
        (DIGEST, "00ff"),
        ({"Type": "Number", "AllowedValues": [1, 2]}, "2"),
        ({"Type": "String", "NoEcho": True, "ConstraintDescription": "any"}, "two\nlines"),
    ],
)
def test_parameter_with_an_allowed_value_has_it(parameter: Any, value: str) -> None:
    """A value that keeps its parameter's rules is taken as it is given."""
    assert parameter_values({"P": parameter}, {"P": value}) == {"P": value}


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        (MODE, "on_demand", "be one of PROVISIONED, ON_DEMAND"),
        (COUNT, "0", "be at least 1"),
        (COUNT, "200.5", "be at most 200"),
        (COUNT, "many", "be a number"),
        (COUNT, "", "be a number"),
        (COUNT, "nan", "be a number"),
        (DIGEST, "00ff0", r"match ([0-9a-f]{4})? as a whole"),
        (DIGEST, "00ff\n", r"match ([0-9a-f]{4})? as a whole"),
        ({**DIGEST, **MODE}, "x", "be one of PROVISIONED, ON_DEMAND and match"),
    ],
)
def test_parameter_with_another_value_is_refused(parameter: Any, value: str, allowed: str) -> None:
    """A value that breaks a rule is named with its parameter and what is allowed."""
    with pytest.raises(TemplateError) as refused:
        parameter_values({"P": parameter}, {"P": value})

    assert str(refused.value).startswith(f"parameter P is {value!r}; it must {allowed}")


def test_parameter_left_out_has_its_default_as_a_string() -> None:
    """Every parameter's value is a string, as CloudFormation's Ref gives it."""
    declared = {
        "Count": {**COUNT, "Default": 3},
        "Flag": {"Type": "String", "Default": True},
    }

    assert parameter_values(declared, {}) == {"Count": "3", "Flag": "true"}


def test_parameter_default_keeps_the_rules_too() -> None:
    """A default that its own rules do not allow is refused as any other value."""
    with pytest.raises(TemplateError, match="parameter Count is '0'; it must be at least 1"):
        parameter_values({"Count": {**COUNT, "Default": 0}}, {})


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"Type": "CommaDelimitedList"}, "Type 'CommaDelimitedList'; locally it must be Number or"),
        ({"Type": "String", "MinLength": 1}, "has MinLength; of a String, the local stack checks"),
        ({"Type": "Number", "AllowedPattern": "1"}, "has AllowedPattern; of a Number"),
        ({"Type": "String", "Default": None}, "parameter P is None; it must be a string"),
    ],
)
def test_parameter_that_cannot_be_checked_is_refused(parameter: Any, message: str) -> None:
    """A type or a rule that is not known here is an error, and not a rule that nobody checks."""
    with pytest.raises(TemplateError, match=message):
        parameter_values({"P": parameter}, {} if "Default" in parameter else {"P": "1"})
