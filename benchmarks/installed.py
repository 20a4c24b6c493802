"""Size of what is installed: for the function, and for the reference way."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.results import Installed
from local.sample_models import PROJECT

REFERENCE = "mlflow + scikit-learn + boto3"
ALL = "the image's packages (SERVING=all)"
ONNX = "the image's packages (SERVING=onnx)"

_PIPENV_PYTHON = ".tools/pipenv/bin/python"
_DONE = ".done"


def measure(cache: Path, *, may_install: bool) -> list[Installed]:
    """Sizes of the three, which are installed into a folder and kept there for the next time.

    Args:
        cache: That folder, in the project. What an older Pipfile.lock made is made anew.
        may_install: Otherwise, what is not there yet is left out.
    """
    makers: dict[str, tuple[str, Callable[[Path], None]]] = {
        REFERENCE: ("reference", _install_reference),
        ALL: ("all", lambda folder: _install_serving(folder, "all")),
        ONNX: ("onnx", lambda folder: _install_serving(folder, "onnx")),
    }
    sizes = {}
    for what, (name, install) in makers.items():
        folder = cache / name
        if not _is_fresh(folder):
            if not may_install:
                return []
            install(folder)
            (folder / _DONE).touch()
        sizes[what] = mib(folder)
    return [Installed(what, size, size / sizes[REFERENCE]) for what, size in sizes.items()]


def mib(folder: Path) -> float:
    """What a folder takes on disk, as `du` counts it, in MiB."""
    blocks = sum(path.lstat().st_blocks for path in (folder, *folder.rglob("*")))
    return blocks * 512 / 1024**2


def _is_fresh(folder: Path) -> bool:
    done = folder / _DONE
    return done.exists() and done.stat().st_mtime > (PROJECT / "Pipfile.lock").stat().st_mtime


def _install_serving(folder: Path, serving: str) -> None:
    target = str(folder.relative_to(PROJECT))
    _run(["scripts/serving-packages", _PIPENV_PYTHON, target, serving])


def _install_reference(folder: Path) -> None:
    """With pip, in the versions that this environment has."""
    folder.mkdir(parents=True, exist_ok=True)
    constraints = folder.with_suffix(".txt")
    versions = {f"{found.name}=={found.version}\n" for found in distributions()}
    constraints.write_text("".join(sorted(versions)))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    where = ["--upgrade", "--target", str(folder), "--constraint", str(constraints)]
    _run([*pip, *where, "mlflow", "scikit-learn", "boto3"])


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=PROJECT, check=True, stdout=sys.stderr)
