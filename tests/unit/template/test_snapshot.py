import difflib

from tests.unit.template.snapshot import SNAPSHOT, snapshot


def test_template_deploys_what_the_snapshot_shows() -> None:
    """A change of a parameter, condition, resource or output shows in the snapshot."""
    changes = difflib.unified_diff(
        SNAPSHOT.read_text().splitlines(),
        snapshot().splitlines(),
        "snapshot",
        "template",
        lineterm="",
    )

    assert "\n".join(changes) == "", "run 'make snapshot' and review the diff"
