"""What a template's parameters let a user set, against what AWS and IAM make of it."""

import json
import re
from typing import Any

import pytest

from tests.sam_transform import source

# What IAM reads as any text, any character, the next folder or a variable.
WIDE = ("*", "?", "/", "${")
# Names of buckets, experiments, runs and models.
SAMPLES = ("1", "4711", "0123456789abcdef" * 2, "Run-1_of.2024", "m-" + "0a" * 16, "models.of-2024")
# Lambda quotas, invocation payload; and a ride in it: JSON in base64 with Lambda's metadata.
PAYLOAD_BYTES = 6 * 1024 * 1024
RIDE_BYTES = 700


def in_policies() -> list[str]:
    """Return the parameters that occur in a policy."""
    template = source()
    policies = json.dumps([r for r in template["Resources"].values() if "::IAM::" in r["Type"]])
    return sorted(set(re.findall(r"\$\{(\w+)\}", policies)) & template["Parameters"].keys())


@pytest.mark.parametrize("name", in_policies())
def test_parameter_in_a_policy_cannot_widen_it(template: dict[str, Any], name: str) -> None:
    """CloudFormation accepts no value with a wildcard or a slash, wherever it stands in a name."""
    pattern = re.compile(template["Parameters"][name]["AllowedPattern"], re.DOTALL)
    widened = {
        sample[:place] + wide + sample[place + dropped :]
        for sample in SAMPLES
        for wide in WIDE
        for place in range(len(sample) + 1)
        for dropped in (0, len(wide))
    }

    assert any(map(pattern.fullmatch, SAMPLES))
    assert list(filter(pattern.fullmatch, {*WIDE, *widened})) == []


def test_largest_batch_fits_into_a_payload(template: dict[str, Any]) -> None:
    """A batch of the largest size that the parameter allows is within Lambda's 6 MB."""
    assert template["Parameters"]["BatchSize"]["MaxValue"] * RIDE_BYTES <= PAYLOAD_BYTES


def test_records_are_discarded_before_the_stream_drops_them(template: dict[str, Any]) -> None:
    """A record reaches the failures bucket while the stream, at its shortest retention, has it."""
    shortest = template["Parameters"]["RetentionHours"]["MinValue"] * 3600
    ages = [
        each["Properties"]["MaximumRecordAgeInSeconds"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]

    assert ages
    assert max(ages) < shortest
