"""The files of a model's folder, as far as every flavour needs them."""

from pathlib import Path
from typing import Any

from model_service.models.mlmodel import MLMODEL, MLmodel
from model_service.models.model_errors import ModelRefused
from model_service.models.s3_folder import MAX_METADATA_BYTES
from streams.errors import brief

_MAX_NAME_CHARACTERS = 255  # most file systems' own limit


def read_mlmodel(folder: Path) -> MLmodel:
    """The `MLmodel` file of a folder.

    Raises:
        ModelRefused: It is not the file of a model.
    """
    path = inside(folder, MLMODEL)
    if path.stat().st_size > MAX_METADATA_BYTES:
        raise ModelRefused(f"{path} is larger than {MAX_METADATA_BYTES} bytes")
    return MLmodel.parse(path.read_bytes(), str(path))


def inside(folder: Path, name: Any) -> Path:
    """The path of a file that `MLmodel` names.

    Raises:
        ModelRefused: It is not a file of the folder.
    """
    path = folder / str(name)
    if not (_can_be_shown(str(name)) and _is_file_inside(folder, path)):
        raise ModelRefused(
            f"{folder / MLMODEL} names the model file {brief(repr(name))}, "
            "which is not a file of its folder"
        )
    return path


def _can_be_shown(name: str) -> bool:
    # It is in the path, and so in each message about the model's file.
    return len(name) <= _MAX_NAME_CHARACTERS and name.isprintable()


def _is_file_inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve()) and path.is_file()


def require_trust(what: str, *, trusted: bool) -> None:
    """Let a format that runs code through only where it is trusted.

    Raises:
        ModelRefused: It is not; the message has the ways out.
    """
    if not trusted:
        raise ModelRefused(
            f"{what}, which can run any code when it is loaded; log the model in skops format, "
            "pin this one with MODEL_SHA256, or set ALLOW_PICKLE=True"
        )
