"""The tree: which package may import which, and that a file name says which file is meant."""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Packages from the ground up, with the packages below that each may import.
MAY_IMPORT: dict[str, set[str]] = {
    "streams": set(),
    "event_source_mapping": set(),
    "cli": set(),
    "tlc": set(),
    "model_service": {"streams"},
    "decision_service": {"streams"},
    "web_service": {"model_service", "streams"},
    "batch": {"model_service", "streams", "tlc", "cli"},
    "training": {"model_service", "streams", "tlc"},
    "ops": {"training", "model_service", "streams", "cli"},
    "local": {"event_source_mapping", "training", "web_service", "model_service", "streams", "cli"},
}
# Every package may have one of these, and the roots of the services have the same names.
REPEATED = {"__init__.py", "__main__.py", "service.py", "bootstrap.py", "settings.py"}
COMMANDS = ("benchmarks", "capacity", "fuzz")


def modules(package: str) -> Iterator[Path]:
    """Yield the files of a package."""
    yield from (PROJECT / package).rglob("*.py")


def imported(path: Path) -> set[str]:
    """Return the top-level packages of this project that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found & {*MAY_IMPORT, *COMMANDS, "tests"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_packages_below_it(package: str) -> None:
    """An import from a lower layer to a higher one, or to a sibling, is refused."""
    climbs = {
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in modules(package)
        for name in imported(path) - MAY_IMPORT[package] - {package}
    }

    assert climbs == set()


def imported_modules(path: Path) -> set[str]:
    """Return the modules that a file imports, and what it takes from packages, which may be one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_modules_import_each_other_in_no_circle() -> None:
    """A module can be read, and imported, after those that it imports."""
    files = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts): path
        for package in (*MAY_IMPORT, *COMMANDS)
        for path in modules(package)
    }
    graph = {name: imported_modules(path) & files.keys() for name, path in files.items()}

    TopologicalSorter(graph).prepare()  # raises a CycleError that names the modules


def test_bootstrap_is_imported_by_entry_points_only() -> None:
    """A composition root is no library; what others need has a module of its own."""
    readers = {
        str(path.relative_to(PROJECT))
        for package in MAY_IMPORT
        for path in modules(package)
        if ".bootstrap import" in path.read_text()
    }

    assert readers == set()


def test_file_name_occurs_once() -> None:
    """A name in a traceback or a log line says which file is meant."""
    names = Counter(
        path.name
        for package in (*MAY_IMPORT, *COMMANDS)
        for path in modules(package)
        if path.name not in REPEATED
    )

    assert {name for name, count in names.items() if count > 1} == set()
