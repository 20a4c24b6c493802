"""Lists and copies the files of a clone, without git: an unpacked archive has no repository."""

import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.conftest import PROJECT

# git takes a pattern that ends with a slash for folders only. No pattern here has another slash.
_IGNORED = [".git", *(PROJECT / ".gitignore").read_text().splitlines()]


def project_files(folder: Path = PROJECT) -> Iterator[Path]:
    """Yield the files that .gitignore does not name, relative to the project."""
    for path in sorted(folder.iterdir()):
        if _is_ignored(path):
            continue
        if path.is_dir():
            yield from project_files(path)
        else:
            yield path.relative_to(PROJECT)


def copy_project(target: Path) -> None:
    """Copy the project's files, with their times."""
    for path in project_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / path, target / path)


def _is_ignored(path: Path) -> bool:
    is_folder = path.is_dir() and not path.is_symlink()
    return any(
        fnmatch(path.name, pattern.rstrip("/"))
        for pattern in _IGNORED
        if is_folder or not pattern.endswith("/")
    )
