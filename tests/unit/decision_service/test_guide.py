"""What docs/decisions.md says."""

import re
from typing import Any

from decision_service.arrivals import MAX_EVENT_ID_CHARACTERS
from decision_service.cases import MAX_ANSWER_BYTES, MAX_CASE_BYTES
from tests.conftest import PROJECT
from tests.unit.decision_service.world import World, duration, tip

GUIDE = (PROJECT / "docs/decisions.md").read_text()


def test_guide_names_every_variable_with_its_default() -> None:
    """The table of variables and the code that reads them agree."""
    source = (PROJECT / "decision_service/settings.py").read_text()
    read = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', source))
    table = GUIDE.split("## Environment variables")[1]

    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", table)) | {"AWS_REGION", "AWS_DEFAULT_REGION"} == (
        read | {"AWS_ENDPOINT_URL"}
    )
    given = re.findall(r'"([A-Z]+_[A-Z_]+)",\s+(?:"([^"]+)"|(\d+))', source)
    for name, text, number in given:
        assert f"| `{name}` | `{text or number}` |" in table


def test_guide_has_the_bounds_of_the_code() -> None:
    """Each bound that is stated is the one that is kept."""
    for bound in (MAX_CASE_BYTES, MAX_ANSWER_BYTES, MAX_EVENT_ID_CHARACTERS):
        assert f"{bound:,} " in GUIDE


def test_guides_policy_decides() -> None:
    """The policy that is shown can be used as it is."""
    (code,) = re.findall("```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    world = World(policy=names["long_or_generous"])

    world.take(duration(50.0), tip(1.0))

    assert world.decisions[0]["decision"]["take"] is True
