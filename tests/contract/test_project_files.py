"""The walk that finds the project's files without git."""

import pytest

from tests.commands import finished
from tests.conftest import PROJECT
from tests.project_files import project_files


def test_project_files_are_those_of_git() -> None:
    """The walk finds what git lists: every file that is tracked, or new and not ignored."""
    listed = finished(
        [
            *("git", "-c", f"safe.directory={PROJECT}"),
            *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"),
        ]
    )
    if listed.returncode:
        pytest.skip("this checkout has no repository")

    names = [name for name in listed.stdout.split("\0") if (PROJECT / name).is_file()]
    assert sorted(map(str, project_files())) == sorted(names)
