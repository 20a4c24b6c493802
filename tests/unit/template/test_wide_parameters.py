from typing import Any

import pytest

from tests.unit.template import least_privilege
from tests.unit.template.changes import GONE, change
from tests.unit.template.wide_parameters import problem


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}",
        "([A-Za-z0-9][A-Za-z0-9_.-]{0,127})?",
        "(m-[A-Za-z0-9]{1,64})?",
        "[0-9a-f]{32}",
        "[0-9]+",
    ],
)
def test_problem_pattern_of_names_has_none(pattern: str) -> None:
    """Names of buckets, experiments, runs and models, as narrow as they may be written."""
    assert problem({"Type": "String", "AllowedPattern": pattern}) is None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (".*", "may be *"),
        ("[^/]+", "may be *"),
        ("(m-.+)?", "may be m-*"),
        ("[A-Za-z0-9*]{8,64}", "may be *0123"),
        ("[0-9a-f*]{32}", "may be *123"),
        ("[a-z0-9.*-]{3,63}", "may be *4711"),
        ("[0-9][0-9*]*", "may be 1*"),
        ("[0-9]+[*]?", "may be 1*"),
        ("[*]?[0-9]+", "may be *1"),
        ("m-[0-9a-f]{8}([*][0-9a-f]+)?", "is like none of the samples"),
        ("m-[0-9a-f]{8}[0-9a-f*]+", "may be m-01234567*89"),
        ("[A-Za-z0-9?_.-]+", "may be ?"),
        ("[A-Za-z0-9]+(/[A-Za-z0-9]+)?", "may be 4/711"),
        ("[A-Za-z0-9_.-]+/?", "may be 1/"),
        (r"[A-Za-z0-9]+(\$\{[a-z0-9]+)?", "may be 4${711"),
        ("[$A-Za-z0-9{}:]+", "may be ${"),
        (r"[a-z0-9]+|\*", "may be *"),
        ("[x-z]", "is like none of the samples here"),
    ],
)
def test_problem_wide_pattern_is_named(pattern: str, message: str) -> None:
    """Wherever in a name a pattern lets something wide in."""
    assert (problem({"Type": "String", "AllowedPattern": pattern}) or "").startswith(message)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"Type": "String"}, "may be *"),
        ({"Type": "String", "AllowedValues": ["a", "b/*"]}, "may be b/*"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, None),
        ({"Type": "Number"}, None),
        (
            {"Type": "AWS::SSM::Parameter::Value<String>", "AllowedPattern": "[a-z]+"},
            "is a AWS::SSM::Parameter::Value<String>",
        ),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}, "is a CommaDelimitedList"),
    ],
)
def test_problem_is_what_the_type_lets_in(parameter: dict[str, Any], message: str | None) -> None:
    """Values on a list are as good as the list; a number is never wide."""
    assert problem(parameter) == message


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ModelBucket", "[a-z0-9.*-]{3,63}"),
        ("ExperimentId", "[0-9][0-9*]*"),
        ("RunId", "[A-Za-z0-9*]{8,64}"),
        ("ModelId", "(m-.+)?"),
        ("TipRunId", "([A-Za-z0-9_.-]+/?)?"),
        ("TipModelId", "(m-[A-Za-z0-9?]{1,64})?"),
        ("ModelBucket", GONE),
    ],
)
def test_least_privilege_wide_parameter_is_named(
    template: dict[str, Any], name: str, pattern: Any
) -> None:
    """Each parameter that stands in an ARN, or in a prefix of keys, is looked at."""
    change(template, f"Parameters/{name}/AllowedPattern", pattern)

    found = least_privilege.problems(template)

    assert any(f"parameter {name} may be " in problem for problem in found)
