"""The page of tables, and the plots."""

import re
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import FULL_OUTPUT, RESULTS, TABLES, write
from benchmarks.bench_tables import number, render, table
from benchmarks.plots import draw
from benchmarks.results import Results
from tests.contract.benchmarks.made import BATCHES, results


def test_report_has_a_row_for_each_batch_of_each_model_and_stub() -> None:
    """Every table of speeds shows every size of batch, ratios before costs."""
    sections = re.split(r"^## ", render(results()), flags=re.MULTILINE)

    found = [section for section in sections if ", puts: " in section.partition("\n")[0]]
    assert len(found) == 4
    for section in found:
        ratios, costs = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
        assert "times faster" in ratios.partition("\n")[0]
        assert "µs a ride" in costs.partition("\n")[0]
        for rows in (ratios, costs):
            sizes = re.findall(r"^\| ([\d,]+) \|", rows, re.MULTILINE)
            assert sizes == [f"{batch:,}" for batch in BATCHES]


def test_report_says_what_was_timed_in_part() -> None:
    """Where a way that goes by the record had a part of a batch, the page says which."""
    assert "reference at 5,000: 400 a turn" in render(results())


def test_report_says_where_sizes_are_missing() -> None:
    """A run that installs nothing says so."""
    page = render(results(installed=[]))

    assert "the packages were not installed before" in page
    assert "≤ 0.250 | not measured |" in page


def test_report_tables_have_as_many_cells_in_every_row() -> None:
    """No table is broken."""
    for found in re.findall(r"(?:^\|.*\n)+", render(results()), re.MULTILINE):
        assert len({line.count(" | ") for line in found.splitlines()}) == 1, found


def test_table_is_markdown() -> None:
    """Headings, a rule, rows."""
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.000"), (2e-14, "2e-14"), (0.1234, "0.123"), (1.5, "1.50"), (15.25, "15.2"),
     (150.4, "150"), (12345.6, "12,346"), (-0.5, "-0.500")],
)  # fmt: skip
def test_number_has_three_digits(value: float, shown: str) -> None:
    """Three digits, or all before the point, grouped."""
    assert number(value) == shown


def test_write_keeps_all_rows_of_the_results(tmp_path: Path) -> None:
    """The JSON can be read back as what was measured."""
    write(results(), tmp_path)

    read = msgspec.json.decode((tmp_path / RESULTS).read_bytes(), type=Results)
    assert msgspec.json.encode(read) == msgspec.json.encode(results())
    assert (tmp_path / TABLES).read_text() == render(results())


def test_plots_are_pictures_of_every_measurement(tmp_path: Path) -> None:
    """A file for each model and stub, each axis of growth, and the rest."""
    names = {path.name for path in draw(results(), tmp_path)}

    assert names == {
        "cold-start.png",
        "growth-shards.png",
        "long-run.png",
        "memory.png",
        "speed-forest-puts-none.png",
        "speed-linear-puts-instant-stub.png",
        "speed-linear-puts-none.png",
        "speed-linear-puts-stub-of-15-ms.png",
        "stages.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_performance_tables_are_those_of_its_results() -> None:
    """What docs/performance shows is what its results.json says."""
    published = msgspec.json.decode((FULL_OUTPUT / RESULTS).read_bytes(), type=Results)

    assert (FULL_OUTPUT / TABLES).read_text() == render(published)
