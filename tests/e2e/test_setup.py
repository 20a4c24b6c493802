"""scripts/setup, under the settings that a user's shell may have."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import finished

PYTHON = Path(sys.executable).resolve()
# Of another version than the project's.
OLD_PYTHON = f"""#!/bin/sh
exec {shlex.quote(str(PYTHON))} -c "import sys; sys.version_info = (3, 12, 0, 'final', 0)
$2"
"""


def setup(
    checkout: Path, folder: Path, what: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the script with the commands of a folder, and with no other variables than given."""
    return finished(
        [checkout / "scripts/setup", what],
        env={"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin", **environ},
    )


@pytest.fixture
def own(checkout: Path) -> Path:
    """A checkout that borrows no environment."""
    for name in (".venv", ".tools"):
        (checkout / name).unlink()
    return checkout


@pytest.fixture
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of commands that come before the system's."""
    return tmp_path_factory.mktemp("commands")


def test_setup_needs_no_home(own: Path, commands: Path) -> None:
    """Setup finds Python on the PATH in a shell without HOME and PYENV_ROOT."""
    (commands / "python3.13").symlink_to(PYTHON)

    done = setup(own, commands, "nothing")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("optimize", ["", "1"])
def test_setup_refuses_another_python(own: Path, commands: Path, optimize: str) -> None:
    """Setup refuses a Python of another version, also if PYTHONOPTIMIZE leaves out assertions."""
    for name in ("python3.13", "python3", "python"):
        (commands / name).write_text(OLD_PYTHON)
        (commands / name).chmod(0o755)

    done = setup(own, commands, "nothing", PYTHONOPTIMIZE=optimize, HOME=str(commands))

    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.13 is missing")


def test_setup_installs_into_its_environment_whatever_pip_is_set_to(
    own: Path, commands: Path
) -> None:
    """PIP_USER=1, which a virtual environment refuses, does not stop the installation."""
    (commands / "python3.13").symlink_to(PYTHON)
    (own / "requirements/runtime.txt").write_text("# nothing, so that no index is asked\n")

    done = setup(own, commands, "runtime", PIP_USER="1", HOME=str(commands))

    assert done.returncode == 0, done.stderr
    assert (own / ".tools/runtime/bin/python").exists()
