"""Lambda's event filtering; `filters`, `operators` and `patterns` name its pages."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_source_mapping.filters import MAX_FILTERS, MAX_PATTERN_CHARACTERS, FilterCriteria
from event_source_mapping.lambda_records import Record, SourceShard, lambda_event
from event_source_mapping.mapping_errors import TemplateError

SHARD = SourceShard("arn:aws:kinesis:us-east-1:123456789012:stream/ride_events", "shardId-7")
few = settings(max_examples=60, deadline=None)


def criteria(*patterns: Any) -> FilterCriteria:
    """Filters of patterns, each a JSON text or what to make one of."""
    texts = [pattern if isinstance(pattern, str) else json.dumps(pattern) for pattern in patterns]
    return FilterCriteria.from_property("Rides", {"Filters": [{"Pattern": t} for t in texts]})


def record(data: bytes) -> Any:
    return lambda_event([Record("100", "key", data, 0)], SHARD)["Records"][0]


def takes(rule: Any, data: Any) -> bool:
    """Whether a pattern for data takes a record; texts are JSON as they are."""
    pattern = f'{{"data": {rule if isinstance(rule, str) else json.dumps(rule)}}}'
    text = data if isinstance(data, str) else json.dumps(data)
    return criteria(pattern).matches(record(text.encode()))


def refusal(pattern: Any) -> str:
    with pytest.raises(TemplateError) as caught:
        criteria(pattern)
    return str(caught.value)


# "Control which events Lambda sends to your function": the criteria


@pytest.mark.parametrize("nothing", [None, {}, {"Filters": []}])
@pytest.mark.parametrize("data", [b"{}", b"text", b"\xff\xfe"])
def test_criteria_without_filters_take_any_data(nothing: Any, data: bytes) -> None:
    """An empty FilterCriteria object has no filters, so Lambda looks at no data."""
    assert FilterCriteria.from_property("Rides", nothing).matches(record(data))


def test_filters_are_ored() -> None:
    """A record that satisfies one or more of the filters is included."""
    both = criteria({"data": {"a": [1]}}, {"data": {"b": [2]}})

    assert [both.matches(record(d)) for d in (b'{"a":1}', b'{"b":2}', b'{"b":1}')] == [
        True,
        True,
        False,
    ]


def test_criteria_more_filters_than_the_quota_are_refused() -> None:
    """By default, a mapping has up to five filters."""
    pattern = {"data": {"a": [1]}}
    criteria(*[pattern] * MAX_FILTERS)

    with pytest.raises(TemplateError, match="Rides: FilterCriteria has 6 filters.* allows 5"):
        criteria(*[pattern] * (MAX_FILTERS + 1))


@pytest.mark.parametrize(
    ("malformed", "message"),
    [
        ([], "must have Filters alone"),
        ({"Filter": []}, "must have Filters alone"),
        ({"Filters": {"Pattern": "{}"}}, "must be a list"),
        ({"Filters": ["{}"]}, "must have a Pattern alone"),
        ({"Filters": [{"Pattern": {"data": {"a": [1]}}}]}, "which is a JSON text"),
        ({"Filters": [{"Pattern": "x" * (MAX_PATTERN_CHARACTERS + 1)}]}, "Lambda allows 4096"),
    ],
)
def test_criteria_of_another_shape_are_refused(malformed: Any, message: str) -> None:
    """The message names the mapping, what it has, and what it must have."""
    with pytest.raises(TemplateError, match=f"^Rides: .*{message}"):
        FilterCriteria.from_property("Rides", malformed)


def test_criteria_are_equal_if_their_patterns_are() -> None:
    """Settings that hold criteria can be compared."""
    assert criteria({"data": {"a": [1]}}) == criteria({"data": {"a": [1]}})
    assert criteria({"data": {"a": [1]}}) != criteria({"data": {"a": [2]}})


# "Using event filtering with a Kinesis event source"


def test_pattern_of_the_page_takes_its_record() -> None:
    """The page's example: orders of type buy."""
    pattern = {"data": {"order": {"type": ["buy"]}}}
    order = {"record": 12345, "order": {"type": "buy", "stock": "ANYCO", "quantity": 1000}}

    assert criteria(pattern).matches(record(json.dumps(order).encode()))
    order["order"] = {"type": "sell"}
    assert not criteria(pattern).matches(record(json.dumps(order).encode()))


@pytest.mark.parametrize(
    "data", [b"text", b"", b"{", b"\xff{}", b"NaN", '{"a":1}'.encode("utf-16"), b"[" * 100_000]
)
@pytest.mark.parametrize("rule", [{"a": [1]}, {"a": [{"exists": False}]}])
def test_data_that_is_not_json_is_dropped(data: bytes, rule: Any) -> None:
    """Non-JSON data and a JSON pattern: Lambda drops the record."""
    assert not criteria({"data": rule}).matches(record(data))


@pytest.mark.parametrize("data", ["5", "null", '"text"', "[]", "[5]"])
def test_data_that_is_json_but_no_object_has_no_fields(data: str) -> None:
    """AWS is silent; here its fields are absent."""
    assert not takes({"a": [{"exists": True}]}, data)
    assert takes({"a": [{"exists": False}]}, data)


@pytest.mark.parametrize("plain", ["text", ["text"], 5, None])
def test_pattern_of_plain_data_is_refused(plain: Any) -> None:
    """The filter pattern for data properties must be JSON, or Lambda throws an exception."""
    assert "data" in refusal({"data": plain})


@pytest.mark.parametrize("key", ["partitionKey", "kinesis", "eventSource"])
def test_pattern_of_other_keys_is_refused(key: str) -> None:
    """Kinesis event source mappings only support filtering on the data key."""
    assert f"it has {key}" in refusal({key: ["1"], "data": {"a": [1]}})
    assert f"it has {key}" in refusal({"$or": [{key: ["1"]}, {"data": {"a": [1]}}]})


# "Filter rule syntax": its table, row by row, with the page's examples


@pytest.mark.parametrize(
    ("rule", "taken", "dropped"),
    [
        ('{"UserID": [null]}', ['{"UserID": null}'], ['{"UserID": ""}', "{}", '{"UserID": 0}']),
        ('{"LastName": [""]}', ['{"LastName": ""}'], ['{"LastName": null}', '{"LastName": " "}']),
        ('{"Name": ["Alice"]}', ['{"Name": "Alice"}'], ['{"Name": "alice"}', "{}"]),
        (
            '{"Name": [{"equals-ignore-case": "alice"}]}',
            ['{"Name": "Alice"}'],
            ['{"Name": "Al"}', '{"Name": 5}'],
        ),
        (
            '{"Location": ["New York"], "Day": ["Monday"]}',
            ['{"Location": "New York", "Day": "Monday"}'],
            ['{"Location": "New York"}', '{"Location": "New York", "Day": "Friday"}'],
        ),
        (
            '{"PaymentType": ["Credit", "Debit"]}',
            ['{"PaymentType": "Credit"}', '{"PaymentType": "Debit"}'],
            ['{"PaymentType": "Cash"}'],
        ),
        (
            '{"$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}',
            ['{"Location": "New York"}', '{"Location": "Rome", "Day": "Monday"}'],
            ['{"Location": "Rome"}', "{}"],
        ),
        (
            '{"Weather": [{"anything-but": ["Raining"]}]}',
            ['{"Weather": "Sunny"}', '{"Weather": null}', '{"Weather": 5}'],
            ['{"Weather": "Raining"}', "{}"],
        ),
        (
            '{"Price": [{"numeric": ["=", 100]}]}',
            ['{"Price": 100}', '{"Price": 100.0}', '{"Price": 1e2}'],
            ['{"Price": 101}', '{"Price": "100"}', '{"Price": null}'],
        ),
        (
            '{"Price": [{"numeric": [">", 10, "<=", 20]}]}',
            ['{"Price": 10.5}', '{"Price": 20}'],
            ['{"Price": 10}', '{"Price": 20.1}', "{}"],
        ),
        (
            '{"ProductName": [{"exists": true}]}',
            ['{"ProductName": "x"}', '{"ProductName": null}'],
            ["{}"],
        ),
        ('{"ProductName": [{"exists": false}]}', ["{}"], ['{"ProductName": "x"}']),
        ('{"Region": [{"prefix": "us-"}]}', ['{"Region": "us-east-1"}'], ['{"Region": "US-x"}']),
        ('{"FileName": [{"suffix": ".png"}]}', ['{"FileName": "a.png"}'], ['{"FileName": "png"}']),
    ],
)
def test_operator_of_lambdas_table(rule: str, taken: list[str], dropped: list[str]) -> None:
    """Each row of the table of comparison operators."""
    assert [data for data in taken + dropped if takes(rule, data)] == taken


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ({"service": [{"prefix": {"equals-ignore-case": "eventb"}}]}, {"service": "EventBridge"}),
        ({"service": [{"suffix": {"equals-ignore-case": "tbridge"}}]}, {"service": "evenTBRIDGE"}),
    ],
)
def test_prefix_and_suffix_ignore_case(rule: Any, data: Any) -> None:
    """EventBridge, "Comparison operators": begins with, ends with (ignore case); for pipes too."""
    assert takes(rule, data)
    assert not takes(rule, {"service": "Lambda"})


def test_equals_of_numbers_is_of_their_representation() -> None:
    """300, 300.0 and 3.0e2 are not considered equal."""
    texts = ["300", "300.0", "3.0e2"]

    for text in texts:
        assert [t for t in texts if takes(f'{{"a": [{text}]}}', f'{{"a": {t}}}')] == [text]


def test_equals_keeps_types_apart() -> None:
    """1, "1" and true are three values."""
    texts = ["1", '"1"', "true", '"true"', "null", '""', "false", "0"]

    for text in texts:
        assert [t for t in texts if takes(f'{{"a": [{text}]}}', f'{{"a": {t}}}')] == [text]


def test_exists_looks_at_leaves_only() -> None:
    """The page's example: address is an intermediate node, so exists does not find it."""
    person = {"person": {"name": "John Doe", "address": {"street": "123 Main St"}}}

    assert not takes({"person": {"address": [{"exists": True}]}}, person)
    assert takes({"person": {"address": [{"exists": False}]}}, person)
    assert takes({"person": {"address": {"street": [{"exists": True}]}}}, person)


def test_exists_false_holds_if_the_parent_is_absent() -> None:
    """What is in nothing does not exist."""
    rule = {"person": {"name": [{"exists": False}]}}

    assert takes(rule, {})
    assert takes(rule, {"person": "John"})


@pytest.mark.parametrize(
    ("text", "taken"), [("5e9", True), ("5.000001e9", False), ("1e999", False)]
)
def test_numeric_is_limited_to_the_documented_range(text: str, taken: bool) -> None:
    """EventBridge: from -5.0e9 to 5.0e9; AWS is silent on others, which match nothing here."""
    assert takes({"a": [{"numeric": [">", 0]}]}, f'{{"a": {text}}}') is taken


def test_numeric_has_fifteen_digits() -> None:
    """EventBridge: 15 digits of precision, six of them after the decimal point."""
    rule = '{"a": [{"numeric": [">", 4999999999.000001]}]}'

    assert takes(rule, '{"a": 4999999999.000002}')
    assert not takes(rule, '{"a": 4999999999.000001}')


def test_array_in_data_matches_if_any_element_does() -> None:
    """EventBridge: the pattern's list and the event's list must have an element in common."""
    assert takes({"tags": ["a", "b"]}, {"tags": ["x", "b"]})
    assert takes({"tags": ["b"]}, {"tags": [["b"]]})
    assert not takes({"tags": ["a"]}, {"tags": ["x", "y"]})
    assert not takes({"tags": [{"exists": True}]}, {"tags": []})


def test_array_of_objects_matches_if_one_does_as_a_whole() -> None:
    """Event Ruler's example: no match of fields in different elements of an array."""
    people = {"employees": [{"first": "Anna", "last": "Smith"}, {"first": "John", "last": "Doe"}]}

    assert takes({"employees": {"first": ["Anna"]}}, people)
    assert takes({"employees": {"first": ["Anna"], "last": ["Smith"]}}, people)
    assert not takes({"employees": {"first": ["Anna"], "last": ["Doe"]}}, people)


def test_or_stands_at_any_level_beside_other_fields() -> None:
    """EventBridge, "Or": alternatives are ANDed with the fields next to them, and nest."""
    rule = {"a": [1], "$or": [{"b": [1]}, {"c": {"$or": [{"d": [1]}, {"e": [1]}]}}]}

    assert takes(rule, {"a": 1, "b": 1})
    assert takes(rule, {"a": 1, "c": {"e": 1}})
    assert not takes(rule, {"b": 1})
    assert not takes(rule, {"a": 1, "c": {}})


def test_or_of_whole_patterns() -> None:
    """The alternatives can be at the top, each with data."""
    either = criteria({"$or": [{"data": {"a": [1]}}, {"data": {"b": [1]}}]})

    assert either.matches(record(b'{"b":1}'))
    assert not either.matches(record(b'{"b":2}'))


def test_duplicate_keys_last_one_counts() -> None:
    """Of keys that are there twice, Lambda uses the last value (the page of 2022)."""
    assert takes('{"a": ["hello"], "a": ["world"]}', {"a": "world"})
    assert not takes('{"a": ["hello"], "a": ["world"]}', {"a": "hello"})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "data must be an object with at least one field"),
        ({"a": "x"}, "data.a must be an object, or a list"),
        ({"a": []}, "data.a must be an object, or a list"),
        ({"a": [[1]]}, "data.a has a list in its list"),
        ({"a": [{}]}, "data.a has the operator {}; allowed is one of anything-but, equals-"),
        ({"a": [{"wildcard": "*"}]}, "data.a has the operator wildcard; allowed is one of"),
        ({"a": [{"cidr": "10.0.0.0/8"}]}, "data.a has the operator cidr; allowed is one of"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "the operator prefix, suffix; allowed is one"),
        ({"a": [{"prefix": 5}]}, "data.a: prefix must have a string"),
        ({"a": [{"suffix": {"wildcard": "x"}}]}, "data.a: suffix must have a string"),
        ({"a": [{"equals-ignore-case": ["x"]}]}, "data.a: equals-ignore-case must have a string"),
        ({"a": [{"anything-but": []}]}, "data.a: anything-but must have strings only, or"),
        ({"a": [{"anything-but": ["x", 1]}]}, "data.a: anything-but must have strings only, or"),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, "anything-but must have strings only, or"),
        ({"a": [{"anything-but": None}]}, "data.a: anything-but must have strings only, or"),
        ({"a": [{"numeric": []}]}, "data.a: numeric must be one of =, <, <=, >, >="),
        ({"a": [{"numeric": 5}]}, "data.a: numeric must be one of"),
        ({"a": [{"numeric": ["="]}]}, "data.a: numeric must be one of"),
        ({"a": [{"numeric": ["!=", 5]}]}, "data.a: numeric must be one of"),
        ({"a": [{"numeric": ["=", "5"]}]}, "data.a: numeric must be one of"),
        ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "> or >=, a number, < or <=, a number"),
        ({"a": [{"numeric": [">", 1e12]}]}, "a number from -5.0e9 to 5.0e9"),
        ({"a": [{"exists": "true"}]}, "data.a: exists must be true or false"),
        ({"a": [{"exists": True, "prefix": "x"}]}, "data.a: exists must be true or false, and"),
        ({"$or": {"a": [1]}}, "data.$or must be a list of at least two objects"),
        ({"$or": [{"a": [1]}]}, "data.$or must be a list of at least two objects"),
        ({"$or": [{"a": [1]}, 5]}, "data.$or must be an object with at least one field"),
    ],
)
def test_rule_lambda_does_not_take_is_refused(rule: Any, message: str) -> None:
    """The message names the mapping, the pattern, the field, and what is allowed."""
    told = refusal({"data": rule})

    assert told.startswith(f"Rides: filter pattern {json.dumps({'data': rule})!r}: ")
    assert message in told


@pytest.mark.parametrize("text", ["", "data", "{", '{"data": {"a": [NaN]}}', "[" * 4000])
def test_pattern_that_is_not_json_is_refused(text: str) -> None:
    """A pattern is a string representation of a JSON filter rule."""
    told = refusal(text)

    assert told.startswith(f"Rides: filter pattern {text!r}")


def test_pattern_that_nests_too_deep_is_refused() -> None:
    """What would not fit on the stack is refused when it is read, not when a record comes."""
    assert "more than 100 objects" in refusal('{"data":' + '{"a":' * 200 + "[1]" + "}" * 201)
    deep = '{"a":' * 99
    assert takes(f"{deep}[1]{'}' * 99}", f"{deep}1{'}' * 99}")


# Properties

names = st.sampled_from(["a", "b", "c"])
values = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3))
trees = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, trees, max_size=3)
words = st.text(st.characters(codec="utf-8"), max_size=6)


def exactly(tree: Any) -> Any:
    """The pattern that asks for each leaf of an object without lists."""
    return exactly_of(tree) if isinstance(tree, dict) else [tree]


def exactly_of(node: dict[str, Any]) -> dict[str, Any]:
    return {key: exactly(value) for key, value in node.items()}


flat = st.dictionaries(names, values, min_size=1, max_size=3)
plain = st.dictionaries(names, values | flat, min_size=1, max_size=3)


@few
@given(plain, trees)
def test_pattern_of_a_records_own_leaves_takes_it(node: dict[str, Any], other: Any) -> None:
    """Fields are ANDed, and fields that the pattern does not name are ignored."""
    assert takes(exactly_of(node), {**node, "other": other})


@few
@given(plain, st.data())
def test_pattern_with_a_field_that_is_absent_drops(node: dict[str, Any], data: Any) -> None:
    """The event must contain all the field names of the pattern."""
    missing = data.draw(st.sampled_from(sorted(node)))
    rest = {key: value for key, value in node.items() if key != missing}

    assert not takes(exactly_of(node), rest)


@few
@given(objects, names, values)
def test_anything_but_is_equals_reversed_of_single_values(
    node: dict[str, Any], name: str, value: Any
) -> None:
    """Of a field with one value, either equals or anything-but holds."""
    node = {**node, name: value}

    assert takes({name: ["x"]}, node) is not takes({name: [{"anything-but": "x"}]}, node)


@few
@given(objects, names)
def test_exists_is_true_or_false(node: dict[str, Any], name: str) -> None:
    """A leaf is there or is not."""
    there = takes({name: [{"exists": True}]}, node)

    assert there is not takes({name: [{"exists": False}]}, node)


@few
@given(st.lists(plain, min_size=2, max_size=4), objects)
def test_or_takes_what_one_of_its_filters_takes(
    nodes: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    """$or, several filters, and any() of single filters are the same."""
    rules = [exactly_of(node) for node in nodes]
    one_of_them = any(takes(rule, data) for rule in rules)
    together = criteria(*[{"data": rule} for rule in rules])

    assert takes({"$or": rules}, data) is one_of_them
    assert together.matches(record(json.dumps(data).encode())) is one_of_them


@few
@given(st.floats(-5e9, 5e9), st.floats(-5e9, 5e9), st.floats(-5e9, 5e9))
def test_numeric_compares_as_numbers(low: float, high: float, value: float) -> None:
    """Whatever their notation, numbers compare by what they are."""
    data = f'{{"a": {value:.17e}}}'

    assert takes({"a": [{"numeric": [">", low, "<=", high]}]}, data) is (low < value <= high)
    assert takes({"a": [{"numeric": [">=", low]}]}, data) is (value >= low)
    assert takes({"a": [{"numeric": ["=", value]}]}, data)


@few
@given(words, words)
def test_prefix_and_suffix_are_what_a_string_begins_and_ends_with(head: str, tail: str) -> None:
    """With and without case."""
    data = {"a": head + tail}
    loud = head.upper() if head.isascii() else head

    assert takes({"a": [{"prefix": head}]}, data)
    assert takes({"a": [{"suffix": tail}]}, data)
    assert takes({"a": [{"prefix": head}]}, {"a": tail}) is tail.startswith(head)
    assert takes({"a": [{"prefix": {"equals-ignore-case": loud}}]}, data)
    assert takes({"a": [{"suffix": {"equals-ignore-case": tail}}]}, data)


@few
@given(st.binary(max_size=40) | words.map(str.encode) | trees.map(lambda t: json.dumps(t).encode()))
def test_no_data_breaks_a_filter(data: bytes) -> None:
    """Whatever a producer sends, a filter answers."""
    answer = criteria({"data": {"a": [{"exists": False}]}}).matches(record(data))

    assert answer in (True, False)
