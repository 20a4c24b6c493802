"""The lock that lets one stack of a checkout be up."""

from pathlib import Path

import pytest

from local.shell import StackIsUp, lock


def test_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """The second holder is refused at once, and the lock is free again after the first."""
    path = tmp_path / "new" / "up.lock"

    with lock(path), pytest.raises(StackIsUp, match="is up already; stop it first"), lock(path):
        pass
    with lock(path):
        pass
