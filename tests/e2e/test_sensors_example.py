"""The examples for other projects, and the one in the guide."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import finished

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples" / "sensors"
GUIDE = PROJECT / "docs" / "event-source-mapping.md"


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return finished(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "AWS_PROFILE": "none-of-this-name"},
    )


@pytest.mark.parametrize(("name", "tests"), [("sensors", 2), ("moderation", 4)])
def test_example_passes(name: str, tests: int) -> None:
    """The tests of an example pass, as its guide says to run them."""
    done = pytest_in(PROJECT, f"examples/{name}")

    assert done.returncode == 0, done.stdout
    assert f"{tests} passed" in done.stdout


def test_guides_example_passes_in_another_project(tmp_path: Path) -> None:
    """What the guide shows works outside of this checkout, beside a template and its handler."""
    (code,) = re.findall("```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    for name in ("template.yaml", "handler.py"):
        shutil.copy(EXAMPLE / name, tmp_path)
    (tmp_path / "test_guide.py").write_text(code)

    done = pytest_in(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
