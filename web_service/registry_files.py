"""A registered model's files, wherever the registry says they are."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from model_service.models.mlmodel import MLMODEL
from model_service.models.model_errors import ModelNotFound, ModelRefused
from model_service.models.s3_folder import MAX_MODEL_BYTES, MAX_MODEL_FILES
from model_service.models.workspace import new_folder
from streams.errors import brief
from web_service.registry import Registry

# Artifacts that a tracking server hands out itself, which is its default (`--serve-artifacts`).
_PROXIED = "mlflow-artifacts:/"
_API = "mlflow-artifacts/artifacts"
_CHUNK_BYTES = 1 << 20
_MAX_DEPTH = 10


def is_handed_out(uri: str) -> bool:
    """Whether the tracking server itself hands the files out; it, and no other that a URI names."""
    return uri.startswith(_PROXIED) and not uri.startswith(f"{_PROXIED}/")


def plain_location(uri: str) -> str:
    """A location as `MODEL_LOCATION` takes it.

    Raises:
        ModelRefused: It is neither a folder nor in S3.
    """
    if uri.startswith("file:"):
        return str(Path.from_uri(uri))
    if uri.startswith(("s3://", "/")):
        return uri
    raise ModelRefused(
        f"the registry has the model at {brief(uri)}; "
        f"it must be at s3://, at {_PROXIED} or in a local folder"
    )


def download(registry: Registry, uri: str) -> Path:
    """Bring files that the tracking server hands out into a new local folder.

    Raises:
        ModelNotFound: The server does not give them.
        ModelRefused: They are too many or too large, or have names that lead out of the folder.
    """
    root = uri.removeprefix(_PROXIED).strip("/")
    names = _names(registry, root)
    if MLMODEL not in names:
        raise ModelNotFound(
            f"{brief(uri)} holds no {MLMODEL} file; register a model that MLflow logged"
        )
    with new_folder("model") as folder:
        for name in names:
            _fetch(registry, f"{root}/{name}", folder / name)
    return folder


def _names(registry: Registry, root: str) -> list[str]:
    names: list[str] = []
    size = 0
    for name, length in _walk(registry, root, ""):
        names.append(name)
        size += length
        if len(names) > MAX_MODEL_FILES or size > MAX_MODEL_BYTES:
            raise ModelRefused(
                f"{brief(_PROXIED + root)} holds more than {MAX_MODEL_FILES} files or "
                f"{MAX_MODEL_BYTES} bytes, which is as much as a model may have"
            )
    return names


def _walk(registry: Registry, root: str, below: str) -> Iterator[tuple[str, int]]:
    """Name and size of each file."""
    if below.count("/") >= _MAX_DEPTH:
        raise ModelRefused(
            f"{brief(_PROXIED + root)} holds more than {_MAX_DEPTH} folders in one another"
        )
    listed = registry.ask(_API, {"path": f"{root}/{below}".rstrip("/")}).get("files", [])
    for entry in listed:
        # A server answers with the last part of a name alone; anything else is no file of ours.
        part = str(entry["path"])
        if part != PurePosixPath(part).name or part in ("", "..") or "\\" in part or "\0" in part:
            raise ModelRefused(f"{brief(part)} would be written outside of its place")
        name = f"{below}/{part}".lstrip("/")
        if entry.get("is_dir"):
            yield from _walk(registry, root, name)
        else:
            yield name, int(entry.get("file_size") or 0)


def _fetch(registry: Registry, path: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    left = MAX_MODEL_BYTES
    with closing(registry.open(f"{_API}/{quote(path)}")) as answer, target.open("wb") as file:
        try:
            while chunk := answer.read(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise ModelRefused(f"{brief(path)} is larger than {MAX_MODEL_BYTES} bytes")
                file.write(chunk)
        except (OSError, HTTPException) as error:
            raise ModelNotFound(f"{brief(_PROXIED + path)} cannot be read ({error})") from None
