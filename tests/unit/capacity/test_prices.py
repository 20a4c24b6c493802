import re
from pathlib import Path
from typing import Any

import pytest

from capacity.capacity_errors import CapacityError
from capacity.prices import PRICES, read
from capacity.quotas import TEMPLATE_SHARDS
from streams.writer import MAX_CALL_BYTES, MAX_CALL_ENTRIES
from tests.sam_transform import source
from tests.unit.capacity.scenarios import scenario

TEXT = PRICES.read_text()


def edited(folder: Path, old: str, new: str) -> Path:
    assert TEXT.count(old) == 1
    path = folder / "mine.toml"
    path.write_text(TEXT.replace(old, new))
    return path


def test_every_figure_is_listed_with_unit_source_and_date() -> None:
    """Nothing is counted with that a reader cannot look up."""
    catalogue = read()
    lines = list(catalogue.lines())

    figures = sum(map(len, catalogue.figures.values()))
    assert len(lines) == figures + len(catalogue.sources)
    assert all(
        re.search(r" = .+ .+\[[a-z0-9-]+, \d{4}-\d\d-\d\d\]$", line) for line in lines[:figures]
    )


def test_every_source_is_one_of_a_figure() -> None:
    """A source that nothing is from is left over from an edit."""
    catalogue = read()
    used = {figure.source for part in catalogue.figures.values() for figure in part.values()}

    assert used == set(catalogue.sources)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '{value = 0.10, unit = "USD an al',
            '{value = -1, unit = "USD an al',
            "is -1; it must be at least 0",
        ),
        (
            "shard_records = {value = 1000,",
            "shard_records = {value = 0,",
            "shard_records is 0; it must be over 0",
        ),
        ("shard_reads = {value = 5,", "shard_reads = {value = nan,", "shard_reads is nan"),
        (
            "shard_reads = {value = 5,",
            'shard_reads = {value = "5",',
            "Expected `float | null`, got `str`",
        ),
        (
            "shard_reads = {value = 5,",
            "shard_reads = {",
            "shard_reads must have one of value and tiers",
        ),
        ("shard_reads = {", "shard_raeds = {", "shard_raeds"),
        ("[inf, 0.0000106667]", "[9e9, 0.0000106667]", "the last with inf units"),
        ('url = "https://aws.amazon.com/s3/pricing/"', "url = 3", "Expected `str`, got `int`"),
        (
            "[sources.s3-price]",
            "[sources.s4-price]",
            "has the source 's3-price'; it must be one of",
        ),
        ("[kinesis]", "[kinesis", "(at line"),
    ],
    ids=lambda text: text[:30],
)
def test_file_that_cannot_be_used_is_refused_with_the_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    """An edit that goes wrong is named, and never counted with."""
    path = edited(tmp_path, old, new)

    with pytest.raises(CapacityError, match=r"^--prices '.*mine\.toml' cannot be used: ") as error:
        read(path)

    assert said in str(error.value)


def test_prices_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A missing file is an error in a line, too."""
    with pytest.raises(CapacityError, match="cannot be used"):
        read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("parameter", "field"),
    [
        ("BatchSize", "batch_size"),
        ("BatchWindowSeconds", "window_seconds"),
        ("Parallelization", "parallelization"),
        ("MemorySize", "memory_mb"),
        ("RetentionHours", "retention_hours"),
    ],
)
def test_defaults_are_those_of_the_template(parameter: str, field: str) -> None:
    """What is counted unless asked otherwise is what gets deployed."""
    assert source()["Parameters"][parameter]["Default"] == getattr(scenario(), field)


def test_limits_of_this_project_are_those_that_it_has() -> None:
    """The template's shards, timeout, alarms and dashboard; the sink's calls."""
    template: dict[str, Any] = source()
    # What is optional, such as decisions, is not in the model.
    always = [each for each in template["Resources"].values() if "Condition" not in each]
    kinds = [resource["Type"] for resource in always]
    prices = read().prices

    assert template["Parameters"]["ShardCount"]["MaxValue"] == TEMPLATE_SHARDS
    assert template["Parameters"]["StreamMode"]["Default"].lower() == scenario().mode
    assert template["Globals"]["Function"]["Timeout"] == prices.functions.timeout_seconds
    assert kinds.count("AWS::CloudWatch::Alarm") == prices.operation.alarms
    assert kinds.count("AWS::CloudWatch::Dashboard") == prices.operation.dashboards
    assert prices.kinesis.call_entries == MAX_CALL_ENTRIES
    assert prices.kinesis.call_bytes == MAX_CALL_BYTES
