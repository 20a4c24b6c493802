"""Size of installed packages, for the function and for the reference way."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

from local.sample_models import PROJECT

REFERENCE = "mlflow + scikit-learn + boto3"
ALL = "the image's packages (SERVING=all)"
ONNX = "the image's packages (SERVING=onnx)"

_FOLDERS = {REFERENCE: "reference", ALL: "all", ONNX: "onnx"}
_PIPENV_PYTHON = ".tools/pipenv/bin/python"
_DONE = ".done"


def measure(cache: Path, *, may_install: bool) -> dict[str, float]:
    """Measure the three in MiB; empty if one is not installed yet and may not be.

    Args:
        cache: Folder in the project to install into. Packages there are installed again when
            Pipfile.lock has changed.
        may_install: Whether to install packages that are missing.
    """
    for what, name in _FOLDERS.items():
        if not _is_fresh(cache / name):
            if not may_install:
                return {}
            _install(what, cache / name)
            (cache / name / _DONE).touch()
    return {what: mib(cache / name) for what, name in _FOLDERS.items()}


def mib(folder: Path) -> float:
    """Return a folder's disk usage in MiB, as `du` counts it."""
    blocks = sum(path.lstat().st_blocks for path in (folder, *folder.rglob("*")))
    return blocks * 512 / 1024**2


def _is_fresh(folder: Path) -> bool:
    done = folder / _DONE
    return done.exists() and done.stat().st_mtime > (PROJECT / "Pipfile.lock").stat().st_mtime


def _install(what: str, folder: Path) -> None:
    if what != REFERENCE:
        target = str(folder.relative_to(PROJECT))
        _run(["scripts/serving-packages", _PIPENV_PYTHON, target, folder.name])
        return
    folder.mkdir(parents=True, exist_ok=True)
    constraints = folder.with_suffix(".txt")  # the versions of this environment
    versions = {f"{found.name}=={found.version}\n" for found in distributions()}
    constraints.write_text("".join(sorted(versions)))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    where = ["--upgrade", "--target", str(folder), "--constraint", str(constraints)]
    _run([*pip, *where, "mlflow", "scikit-learn", "boto3"])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=PROJECT, check=True, stdout=sys.stderr)
