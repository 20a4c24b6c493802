"""A checkout of its own for each test, which borrows this one's environment."""

import os
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.plain_shell import NO_ACCOUNT
from tests.project_files import copy_project

# Of files that make takes to be older than what was set up of them, so that it sets up nothing.
LONG_AGO = 10**9


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone has, with .venv and .tools set up."""
    copy_project(tmp_path)
    for path in tmp_path.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    for name in (".venv", ".tools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    return tmp_path


@pytest.fixture
def shell_environ() -> dict[str, str]:
    """The variables of a user's shell, in which ~/.aws is read, and the project's own tools."""
    own = {name: value for name, value in os.environ.items() if name not in NO_ACCOUNT}
    tools = [PROJECT / ".venv/bin", PROJECT / ".tools/pipenv/bin"]
    return {**own, "PATH": os.pathsep.join([*map(str, tools), own["PATH"]])}
