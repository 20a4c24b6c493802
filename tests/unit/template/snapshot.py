"""`make snapshot`: write what CloudFormation deploys for durations and tips.

A test fails on every change of a resource. The diff of snapshot.yaml shows in a review what a
change of deploy/ or of the SAM translator does to a stack.
"""

from pathlib import Path
from typing import Any

import yaml

from ops.stack_template import render
from tests.sam_transform import parsed, transformed

SNAPSHOT = Path(__file__).with_name("snapshot.yaml")
PREDICTORS = ("duration", "tip")


class _Dumper(yaml.SafeDumper):
    """YAML that is easy to compare: texts of several lines as such, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else None
    )


_Dumper.add_representer(str, _text)


def snapshot() -> str:
    """Return the CloudFormation template in YAML, sorted by name."""
    return yaml.dump(transformed(parsed(render(PREDICTORS))), Dumper=_Dumper, width=100)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot())
