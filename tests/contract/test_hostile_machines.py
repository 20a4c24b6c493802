"""Unit tests pass on machines whose settings differ from a developer's in everything inherited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plain_shell import project_variables
from tests.project_files import copy_project

CLOSED = "http://127.0.0.1:9"
AWS_CONFIG = f"""
[default]
region = eu-north-1
endpoint_url = {CLOSED}
ignore_configured_endpoint_urls = true
[profile work]
region = ap-south-1
"""

# Every variable of the project, with a value that none of them allows.
WRONG = dict.fromkeys(project_variables(), "wrong")

# Several settings at once, for each run takes half a minute.
MACHINES = {
    "in India": {"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "random", "HOME": ""},
    "in New York": {
        **WRONG,
        "TZ": "America/New_York",
        "LANG": "en_US.UTF-8",
        "PYTHONHASHSEED": "random",
        "AWS_PROFILE": "gone",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "MLFLOW_TRACKING_URI": CLOSED,
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), CLOSED),
    },
}

# These take most of the time, and try many inputs rather than what a machine has.
LEFT_OUT = (
    "decision_service/test_many_rides.py",
    "model_service/test_bounds.py",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a folder of an odd name, without a repository."""
    folder = tmp_path_factory.mktemp("Café au lait")
    copy_project(folder)
    return folder


@pytest.mark.parametrize("machine", MACHINES)
def test_unit_tests_pass_on_a_machine(checkout: Path, tmp_path: Path, machine: str) -> None:
    """No unit test depends on the time zone, the locale, the home, the account or the folder."""
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "elsewhere")}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(AWS_CONFIG)
    settings = {**places, **MACHINES[machine]}

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/unit", "--quiet", "-p", "no:cacheprovider"),
            *("-p", "tests.contract.refuse_packages"),
            *(f"--ignore=tests/unit/{name}" for name in LEFT_OUT),
        ],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    named = dict(settings.items() - WRONG.items())
    assert done.returncode == 0, (
        f"unit tests fail on a machine {machine}, in {checkout}, without .git, with {named}:\n"
        f"{done.stdout[-10_000:]}{done.stderr[-2_000:]}"
    )
