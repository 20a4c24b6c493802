"""What is installed is what was locked: every requirement has a hash, every install demands it."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.commands import finished
from tests.conftest import PROJECT
from tests.project_files import project_files


@pytest.mark.parametrize("path", sorted(PROJECT.glob("requirements/*.txt")), ids=lambda p: p.name)
def test_requirement_is_pinned_with_a_hash(path: Path) -> None:
    """Each requirement of a file is one version, and its content."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    requirements = [line.strip() for line in lines if line.strip() and line.strip()[0] != "#"]

    assert requirements
    loose = [
        line
        for line in requirements
        if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert loose == []


def test_lock_file_has_a_version_and_a_hash_of_each_package() -> None:
    """So does Pipfile.lock, in each of its categories."""
    lock = json.loads((PROJECT / "Pipfile.lock").read_text())
    packages = {
        f"{category}: {name}": package
        for category in lock.keys() - {"_meta"}
        for name, package in lock[category].items()
    }

    assert packages
    loose = [
        name
        for name, package in packages.items()
        if not package.get("version", "").startswith("==")
        or not all(one.startswith("sha256:") for one in package.get("hashes") or [""])
    ]
    assert loose == []


def test_browser_is_locked_with_a_hash_of_each_package() -> None:
    """So is what npm brings for the tests; its lock names no registry."""
    lock = json.loads((PROJECT / "requirements/browser/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


IMPORTED_BY_THE_FUZZER = """
import builtins
from importlib.metadata import packages_distributions
names, real = set(), builtins.__import__
def noted(name, globals=None, *rest):
    importer = str((globals or {}).get("__name__")).partition(".")[0]
    if importer in ("fuzz", "streams", "model_service"):
        names.add(name.partition(".")[0])
    return real(name, globals, *rest)
builtins.__import__ = noted
import fuzz.__main__, fuzz.targets
print(*{dist for name in names for dist in packages_distributions().get(name, ())})
"""


def test_fuzzer_has_what_the_code_that_it_tries_imports() -> None:
    """Its environment is its own: a package that the project's has may be missing from it."""
    printed = finished([sys.executable, "-c", IMPORTED_BY_THE_FUZZER], check=True).stdout
    requirements = (PROJECT / "requirements/fuzz.txt").read_text()
    listed = set(re.findall(r"^([\w.-]+)==", requirements, re.MULTILINE))

    imported = {name.lower().replace("_", "-") for name in printed.split()}
    assert {"msgspec", "pyyaml"} <= imported
    assert imported <= listed


def test_every_install_demands_hashes() -> None:
    """No script, image or make target installs what it has no hash of."""
    places = {"scripts", "Dockerfile", "Makefile", "integration-test"}
    commands = [
        line
        for path in project_files()
        if path.parts[0] in places
        for line in (PROJECT / path).read_text().replace("\\\n", " ").splitlines()
        if re.search(r"\bpip install\b", line)
    ]

    assert len(commands) == 5
    assert [line for line in commands if "--require-hashes" not in line] == []
