"""The page of tables, and the plots."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import installed
from benchmarks.__main__ import TABLES, write
from benchmarks.bench_tables import number, render
from benchmarks.results import Puts, Results, Speed, Spread, Start, Way
from benchmarks.starts import CLIENTS, PRODUCT, REFERENCE

BATCHES = (1, 100, 500, 1000, 5000)
CELLS = [*(("linear", puts) for puts in Puts), ("forest", Puts.NONE)]


def spread(median: float) -> Spread:
    return Spread(median, median / 2, median * 2)


def speed(model: str, puts: Puts, batch: int, way: Way, faster: float = 1000.0) -> Speed:
    floor = spread(1.5) if puts is Puts.NONE else None
    return Speed(model, puts, batch, way, spread(2.0), spread(faster), floor)


def start(what: str, model: str, of_clients: float = 1.6) -> Start:
    return Start(what, model, spread(0.8), spread(0.15), spread(of_clients), spread(95.0))


def results(**changed: object) -> Results:
    """Results that meet every target, with something changed."""
    fields: dict[str, Any] = {
        "about": "`make bench` on some day.",
        "speeds": [
            speed(model, puts, batch, way)
            for model, puts in CELLS
            for batch in BATCHES
            for way in Way
            if puts is Puts.NONE or way is not Way.FLOOR
        ],
        "starts": [start(CLIENTS, ""), start(PRODUCT, "linear"), start(REFERENCE, "linear")],
        "installed_mib": {installed.REFERENCE: 800.0, installed.ALL: 300.0, installed.ONNX: 150.0},
        "largest_difference": 2e-14,
    }
    return Results(**fields | changed)


def outcomes(page: str) -> dict[str, str]:
    """Return the last cell of each target."""
    targets = page.partition("## Targets\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (.+?) \| [≥≤] .* \| (.*?) \|$", targets, re.MULTILINE))


def test_report_has_a_row_for_each_batch_of_each_model_and_stub() -> None:
    """Every table of speeds shows every size of batch, ratios before costs."""
    sections = re.split(r"^## ", render(results()), flags=re.MULTILINE)

    found = [section for section in sections if ", puts: " in section.partition("\n")[0]]
    assert len(found) == len(CELLS)
    for section in found:
        ratios, costs = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
        assert "times faster" in ratios.partition("\n")[0]
        assert "µs a ride" in costs.partition("\n")[0]
        for rows in (ratios, costs):
            sizes = re.findall(r"^\| ([\d,]+) \|", rows, re.MULTILINE)
            assert sizes == [f"{batch:,}" for batch in BATCHES]


def test_report_tables_have_as_many_cells_in_every_row() -> None:
    """A row with a cell too many or too few would break its table."""
    for found in re.findall(r"(?:^\|.*\n)+", render(results()), re.MULTILINE):
        assert len({line.count(" | ") for line in found.splitlines()}) == 1, found


def test_report_says_which_targets_are_met() -> None:
    """Each of the twelve targets is compared with its own measurement."""
    assert list(outcomes(render(results())).values()) == ["met"] * 12


def test_report_says_which_targets_are_missed() -> None:
    """A speed below its target and a start above its target are missed, and no other target is."""
    slow = speed("linear", Puts.NONE, 1000, Way.PRODUCT, faster=75.0)
    others = [
        row
        for row in results().speeds
        if (row.model, row.puts, row.batch, row.way) != ("linear", Puts.NONE, 1000, Way.PRODUCT)
    ]
    late = start(PRODUCT, "linear", of_clients=3.4)

    found = outcomes(render(results(speeds=[slow, *others], starts=[late])))

    assert {what for what, outcome in found.items() if outcome == "missed"} == {
        "linear model, puts: none, batches of 1,000: times faster",
        "cold start of the linear model: times boto3 and two clients",
    }


def test_report_says_where_sizes_are_missing() -> None:
    """A run that installs nothing says so."""
    page = render(results(installed_mib={}))

    assert "the packages were not installed before" in page
    assert "≤ 0.250 | not measured |" in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.000"), (2e-14, "2e-14"), (0.1234, "0.123"), (1.5, "1.50"), (150.4, "150"),
     (12345.6, "12,346")],
)  # fmt: skip
def test_number_has_three_digits(value: float, shown: str) -> None:
    """Three digits, or all before the point, grouped."""
    assert number(value) == shown


def test_write_makes_the_page_and_a_plot_of_every_measurement(tmp_path: Path) -> None:
    """There is a plot for each model and stub, for cold starts and for memory."""
    write(results(), tmp_path)

    assert (tmp_path / TABLES).read_text() == render(results())
    plots = [path for path in tmp_path.iterdir() if path.name != TABLES]
    assert {path.name for path in plots} == {
        "cold-start.png",
        "memory.png",
        "speed-forest-puts-none.png",
        "speed-linear-puts-instant-stub.png",
        "speed-linear-puts-none.png",
        "speed-linear-puts-stub-of-15-ms.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in plots)
