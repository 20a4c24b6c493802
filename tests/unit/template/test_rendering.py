from typing import Any

import pytest

from tests.unit.template.rendering import branches, items, rendered

ARN = "arn:${AWS::Partition}:s3:::${Bucket}/a/*"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("plain", {"plain"}),
        ("${Bucket}", {"${!Bucket}"}),
        ({"Ref": "Bucket"}, {"${Bucket}"}),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, {"${Bucket.Arn}"}),
        ({"Fn::Sub": ARN}, {ARN}),
        ({"Fn::Sub": ["${x}/${y}", {"x": {"Ref": "Bucket"}}]}, {"${Bucket}/${y}"}),
        ({"Fn::Join": ["/", [{"Ref": "Bucket"}, "*"]]}, {"${Bucket}/*"}),
        ({"Fn::If": ["Big", "a", ["b", "c"]]}, {"a if Big", "b unless Big", "c unless Big"}),
        ({"Fn::If": ["Big", "a", {"Ref": "AWS::NoValue"}]}, {"a if Big"}),
        (["a", {"Ref": "AWS::NoValue"}], {"a"}),
        ({"Fn::Select": [0, ["a"]]}, {'{"Fn::Select": [0, ["a"]]}'}),
    ],
)
def test_rendered_is_what_a_value_may_be(value: Any, texts: set[str]) -> None:
    """Two ways of writing one value have one text, which no plain text has."""
    assert rendered(value) == texts


def test_items_are_those_of_every_branch() -> None:
    """What is there under a condition only is looked at, too."""
    assert items(["a", {"Fn::If": ["Big", ["b", "c"], {"Ref": "AWS::NoValue"}]}]) == ["a", "b", "c"]


def test_branches_leave_lists_whole() -> None:
    """A list is one value of a property that is a list."""
    assert branches({"Fn::If": ["Big", ["b", "c"], []]}) == [["b", "c"], []]
