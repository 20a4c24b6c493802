"""Whether a parameter may hold what widens an ARN, or a prefix of keys, that it stands in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# To IAM: any characters, any character, the next folder, a variable.
_WIDE = ("*", "?", "/", "${")
_HEX = "0123456789abcdef"
# What an experiment, a run, a model and a bucket may be called.
_SAMPLES = ("1", "4711", 2 * _HEX, "Run-1_of.2024", f"m-{2 * _HEX}", "models.of-2024")


def problem(parameter: Mapping[str, Any]) -> str | None:
    """What is wrong with a parameter of a template in an ARN; None if nothing is."""
    if parameter["Type"] == "Number":
        return None
    if parameter["Type"] != "String":
        # Of these, the pattern is not that of the value.
        return f"is a {parameter['Type']}"
    if "AllowedValues" in parameter:
        values = map(str, parameter["AllowedValues"])
        return _may_be(value for value in values if any(wide in value for wide in _WIDE))
    # CloudFormation has the pattern match the whole value.
    pattern = re.compile(parameter.get("AllowedPattern", ".*"), re.DOTALL)
    if not any(map(pattern.fullmatch, _SAMPLES)):
        return f"is like none of the samples here: {pattern.pattern}"
    return _may_be(value for value in _widened() if pattern.fullmatch(value))


def _may_be(values: Iterator[str]) -> str | None:
    value = next(values, None)
    return None if value is None else f"may be {value}"


def _widened() -> Iterator[str]:
    """Each sample with something wide at each of its places: put in, and instead of what is there.

    Where a pattern has alternatives, the one that lets something wide in need not be that of the
    samples as they are, so each is tried.
    """
    yield from _WIDE
    for wide in _WIDE:
        for sample in _SAMPLES:
            for place in range(len(sample) + 1):
                yield sample[:place] + wide + sample[place:]
                yield sample[:place] + wide + sample[place + len(wide) :]
