"""The SHA-256 of a model's folder, which pins what is loaded."""

import hashlib
from pathlib import Path

from model_service.models.model_errors import ModelRefused
from streams.errors import brief


def digest(folder: Path) -> str:
    """The SHA-256 of a model folder: every file's name and content.

    In a shell: `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`.

    Raises:
        ModelRefused: The folder holds what this would not cover, such as a link.
    """
    files = {}
    for path in folder.rglob("*"):
        name = f"./{path.relative_to(folder).as_posix()}"
        _require_covered(path, name)
        if path.is_file():
            files[name.encode()] = path
    total = hashlib.sha256()
    for encoded, path in sorted(files.items()):
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(checksum.encode() + b"  " + encoded + b"\n")
    return total.hexdigest()


def _require_covered(path: Path, name: str) -> None:
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        raise ModelRefused(
            f"{brief(str(path))} is a link, or neither a file nor a folder, and a model's digest "
            "covers no such thing: put a copy of the file in its place"
        )
    if not name.isprintable():
        # A line break in one name could stand for another file with its digest.
        raise ModelRefused(
            f"{brief(str(path))} has a name that cannot be printed, which a model's digest does "
            "not cover: give it another one"
        )


def require_digest(folder: Path, pinned: str | None) -> None:
    """Refuse a model folder whose digest is not the pinned one; without a pin, any will do.

    Raises:
        ModelRefused: The digest is another one, or the folder holds what it would not cover.
    """
    if pinned is None:
        return
    actual = digest(folder)
    if actual != pinned:
        raise ModelRefused(
            f"the model's digest is {actual}, and MODEL_SHA256 pins {pinned}: the files changed "
            "since they were pinned; serve the run that was pinned, or pin the new digest"
        )
