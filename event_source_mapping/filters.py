"""Which records of a stream Lambda hands to a function: `FilterCriteria` of a mapping.

Sources, both in the AWS Lambda Developer Guide: "Control which events Lambda sends to your
function" (below: *control*) and "Using event filtering with a Kinesis event source" (below:
*kinesis*). A record that does not match is dropped: no batch has it, no destination gets it, and
the iterator advances past it (*control*, "Handling records that don't meet filter criteria"), so
the checkpoint does.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.operators import PatternError, read_json
from event_source_mapping.patterns import Rule, rule

MAX_FILTERS = 5  # *control*: "By default, you can define up to five different filters"
MAX_PATTERN_CHARACTERS = 4096  # Lambda API Reference, "Filter"
_DATA = "data"
_UNREADABLE = object()


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: its pattern as the template has it, and what it takes."""

    pattern: str
    takes: Rule = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FilterCriteria:
    """The filters of a mapping; without any, every record matches, whatever its data."""

    filters: Sequence[Filter] = ()

    @classmethod
    def from_property(cls, name: str, criteria: Any) -> Self:
        """Read the property `FilterCriteria` of a SAM event; null and `{}` have no filters.

        Args:
            name: Logical ID of the mapping, for messages.
            criteria: `{Filters: [{Pattern: a JSON text}]}`, intrinsic functions resolved.

        Raises:
            TemplateError: Lambda would refuse it when the mapping is created.
        """
        patterns = [_pattern(name, entry) for entry in _filters(name, criteria)]
        return cls(tuple(Filter(pattern, _rule(name, pattern)) for pattern in patterns))

    def matches(self, record_event: Mapping[str, Any]) -> bool:
        """Whether one of the filters takes the record; *control*: they are "ORed together".

        Args:
            record_event: The record as in `Records` of a function's event, `kinesis.data` in
                base64. The patterns see it decoded, as `data` (*kinesis*).

        *kinesis*: data that is not valid JSON is dropped. So is data that is not UTF-8, which JSON
        must be, AWS being silent on it; and an aggregated record of the KPL, whose filtering
        "with standard Kinesis isn't supported".
        """
        if not self.filters:
            return True
        data = _read_data(record_event["kinesis"]["data"])
        return data is not _UNREADABLE and any(one.takes({_DATA: data}) for one in self.filters)


def _filters(name: str, criteria: Any) -> list[Any]:
    """*control*: "an empty FilterCriteria object" removes the filters."""
    if criteria is None or criteria == {}:
        return []
    if not isinstance(criteria, dict) or criteria.keys() != {"Filters"}:
        raise TemplateError(f"{name}: FilterCriteria is {criteria!r}; it must have Filters alone")
    filters = criteria["Filters"]
    if not isinstance(filters, list):
        raise TemplateError(f"{name}: FilterCriteria: Filters is {filters!r}; it must be a list")
    if len(filters) > MAX_FILTERS:
        raise TemplateError(
            f"{name}: FilterCriteria has {len(filters)} filters; "
            f"Lambda's default quota allows {MAX_FILTERS}"
        )
    return filters


def _pattern(name: str, entry: Any) -> str:
    pattern = entry.get("Pattern") if isinstance(entry, dict) and len(entry) == 1 else None
    if not isinstance(pattern, str):
        raise TemplateError(
            f"{name}: the filter {entry!r} must have a Pattern alone, which is a JSON text"
        )
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise TemplateError(
            f"{name}: the filter pattern {pattern[:40]!r}... has {len(pattern)} characters; "
            f"Lambda allows {MAX_PATTERN_CHARACTERS}"
        )
    return pattern


def _rule(name: str, text: str) -> Rule:
    try:
        pattern = read_json(text)
        compiled = rule(pattern)
        _require_data(pattern)
    except PatternError as error:
        raise TemplateError(f"{name}: filter pattern {text!r}: {error}") from error
    except ValueError as error:
        raise TemplateError(f"{name}: filter pattern {text!r} is not JSON: {error}") from error
    return compiled


def _require_data(pattern: Mapping[str, Any]) -> None:
    """*kinesis*: "only support filtering on the data key", whose pattern must be JSON.

    A list for `data` is what other sources have for plain strings; here Lambda "throws an
    exception at the time of the event source mapping creation". Older versions of the page
    filtered on metadata such as partitionKey too; today's version does not.
    """
    for key, expected in pattern.items():
        if key == "$or":
            for alternative in expected:
                _require_data(alternative)
        elif key != _DATA:
            raise PatternError(f"it has {key}; of a Kinesis record, Lambda filters on data alone")
        elif not isinstance(expected, dict):
            raise PatternError("it has data that is no object; Lambda allows an object of fields")


def _read_data(encoded: str) -> Any:
    try:
        return read_json(base64.b64decode(encoded).decode())
    except ValueError:  # not UTF-8, or not JSON
        return _UNREADABLE
