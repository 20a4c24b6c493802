"""A checkout of its own for each test, which borrows this one's environment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone has, with .venv and .tools set up."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, target)
    for name in (".venv", ".tools"):
        (tmp_path / name).symlink_to(PROJECT / name)
    return tmp_path


@pytest.fixture
def shell_environ() -> dict[str, str]:
    """The variables of a user's shell: nothing of AWS or MLflow, and the project's own tools."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLFLOW_", "MODEL_", "MAKE", "MFLAGS", "PIPENV_", "RIDES"))
    }
    tools = [PROJECT / ".venv/bin", PROJECT / ".tools/pipenv/bin"]
    return {**own, "PATH": os.pathsep.join([*map(str, tools), own["PATH"]])}
