"""docs/capacity.md, and what the command prints."""

import pytest

from capacity.page import PAGE, commands, rewritten

TEXT = PAGE.read_text()


def test_page_shows_what_the_commands_print() -> None:
    """Each table is that of the command above it; `python -m capacity.page` mends it."""
    assert rewritten(TEXT) == TEXT


def test_page_has_no_table_without_a_command() -> None:
    """Or it would be checked by nobody."""
    assert len(commands(TEXT)) == TEXT.count("```text")


@pytest.mark.parametrize("mode", ["provisioned", "on-demand", "on-demand-advantage"])
def test_page_shows_every_mode_with_and_without_aggregation(mode: str) -> None:
    """None of the tables that the page is for is missing."""
    tables = [arguments for arguments in commands(TEXT) if mode in arguments]

    assert ["--mode", mode] in tables
    assert any("--aggregate-predictions" in arguments for arguments in tables)


def test_rewritten_page_has_the_output_of_its_commands() -> None:
    """Whatever stood there before; the rest of the page stays."""
    page = "a\n\n```sh\nmake capacity RATE=5 ARGS='--fill 1'\n```\n\n```text\nold\n```\n\nb\n"

    made = rewritten(page)

    assert made.startswith("a\n")
    assert made.endswith("```\n\nb\n")
    assert "rides a second                                 5\n" in made
    assert "old" not in made
