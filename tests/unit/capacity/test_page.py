import re

from tests.unit.capacity.page import PAGE, rewritten

TEXT = PAGE.read_text()


def test_page_shows_what_its_commands_print() -> None:
    """Each block of docs/capacity.md is the output of the command above it."""
    assert rewritten(TEXT) == TEXT
    assert TEXT.count("```text") == len(re.findall(r"^make capacity", TEXT, re.MULTILINE))


def test_rewritten_page_has_the_output_of_its_commands_and_the_rest_unchanged() -> None:
    """Only the text between a command's fences is replaced."""
    page = "a\n\n```sh\nmake capacity RATE=5 ARGS='--fill 1'\n```\n\n```text\nold\n```\n\nb\n"
    made = rewritten(page)

    assert made.startswith("a\n")
    assert made.endswith("```\n\nb\n")
    assert re.search(r"^rides a second +5$", made, re.MULTILINE)
    assert "old" not in made
