"""The tree: which package may import which, and that a file name says which file is meant."""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.util import resolve_name
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
# Parts of a package, with the parts of this project that none of their modules may import.
MAY_NOT_IMPORT = {
    "model_service.records": (
        "model_service.models",
        "model_service.service",
        "model_service.settings",
    ),
    "model_service.models": ("model_service.service",),
}
# Every package may have one of these, and the roots of the services have the same names.
REPEATED = {"__init__.py", "__main__.py", "service.py", "bootstrap.py", "settings.py"}
# Measurements and tools: they may import any package, and none imports them.
COMMANDS = {"benchmarks", "capacity", "fuzz"}
# Modules that load what a setting or an option names.
LOAD_BY_NAME = {"decision_service/policy.py", "ops/redrive/fixup.py"}


def files(package: str) -> Iterator[Path]:
    """Yield the files of a package."""
    yield from (PROJECT / package).rglob("*.py")


def name_of(path: Path) -> str:
    """Return the name that a file is imported by."""
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, and what it takes from them, which may be modules."""
    found: set[str] = set()
    package = ".".join(path.relative_to(PROJECT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def packages() -> set[str]:
    """Return the top-level packages, without the tests."""
    return {path.parent.name for path in PROJECT.glob("*/__init__.py")} - {"tests"}


def outsiders() -> set[str]:
    """Return what is on top of all packages: entry points, tests and the integration test."""
    return {"tests", "harness", *(path.stem for path in PROJECT.glob("*.py"))}


def test_every_package_has_a_layer() -> None:
    """A new package says what it may import."""
    assert packages() == MAY_IMPORT.keys() | COMMANDS


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_packages_below_it(package: str) -> None:
    """An import from a lower layer to a higher one, or to a sibling, is refused."""
    known = packages() | outsiders()
    climbs = {
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in files(package)
        for name in imported(path)
        if name.partition(".")[0] in known - MAY_IMPORT[package] - {package}
    }

    assert climbs == set()


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_part_of_a_package_imports_nothing_above_it(part: str) -> None:
    """Records know no models, and neither knows the service."""
    climbs = {
        f"{path.relative_to(PROJECT)} imports {name}"
        for path in files(part.replace(".", "/"))
        for name in imported(path)
        if name.startswith(MAY_NOT_IMPORT[part])
    }

    assert climbs == set()


def test_modules_are_loaded_by_name_in_two_places_only() -> None:
    """An import that no tool sees is one of a policy or a fix-up, which users name."""
    loaders = {
        str(path.relative_to(PROJECT))
        for package in MAY_IMPORT.keys() - {"event_source_mapping"}  # it loads users' handlers
        for path in files(package)
        if "import_module" in path.read_text() or "__import__" in path.read_text()
    }

    assert loaders == LOAD_BY_NAME


def test_modules_import_each_other_in_no_circle() -> None:
    """A module can be read, and imported, after those that it imports."""
    modules = {name_of(path): path for package in packages() for path in files(package)}
    # A package's __init__ runs before its modules and imports none of them.
    graph = {name: imported(path) & modules.keys() - {name} for name, path in modules.items()}

    TopologicalSorter(graph).prepare()  # raises a CycleError that names the modules


def test_bootstrap_is_imported_by_entry_points_only() -> None:
    """A composition root is no library; what others need has a module of its own."""
    readers = {
        str(path.relative_to(PROJECT))
        for package in packages() - {"benchmarks"}  # which measure a service as it is deployed
        for path in files(package)
        if any(name.endswith(".bootstrap") for name in imported(path))
    }

    assert readers == set()


def test_file_name_occurs_once() -> None:
    """A name in a traceback or a log line says which file is meant."""
    names = Counter(
        path.name for package in packages() for path in files(package) if path.name not in REPEATED
    )

    assert {name for name, count in names.items() if count > 1} == set()
