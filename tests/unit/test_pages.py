"""The pages: README, CONTRIBUTING and docs/."""

import re
from pathlib import Path

import pytest

from tests.conftest import PROJECT

PAGES = [
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    *sorted((PROJECT / "docs").rglob("*.md")),
]


def anchors(page: Path) -> set[str]:
    """What a page's headings are linked by, as GitHub has it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_link_to_what_is_there(page: Path) -> None:
    """Each link within the project leads to a file and, where it says one, to a heading."""
    links = re.findall(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text())

    for path, anchor in links:
        target = page.parent / path if path else page
        assert target.exists(), f"{path} is not there"
        assert not anchor or anchor in anchors(target), f"{path} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A file of this project that a page names in code type exists, and so does a test in it."""
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir()}
    named = re.findall(
        r"`([a-z][\w-]*)/([\w./-]+\.(?:py|md|toml|j2|json))(?:::(\w+))?`", page.read_text()
    )

    for folder, rest, test in named:
        if folder in folders:
            path = PROJECT / folder / rest
            assert path.exists(), f"{folder}/{rest} is not there"
            assert f"def {test}(" in path.read_text() or not test, f"{rest} has no {test}"
