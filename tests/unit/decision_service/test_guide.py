"""What docs/decisions.md says."""

import re
from typing import Any

from decision_service.arrivals import MAX_EVENT_ID_CHARACTERS
from decision_service.cases import MAX_ANSWER_BYTES, MAX_CASE_BYTES
from tests.conftest import PROJECT
from tests.unit.decision_service.world import World, duration, tip

GUIDE = (PROJECT / "docs/decisions.md").read_text()


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
