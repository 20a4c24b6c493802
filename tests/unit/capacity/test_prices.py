import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from capacity.prices import PRICES, read
from cli.terminal import OpsError
from decision_service.settings import Settings
from streams.packed_writer import GROUPS
from tests.conftest import PROJECT
from tests.sam_transform import source
from tests.unit.capacity.scenarios import scenario

TEXT = PRICES.read_text()


def test_every_figure_has_a_unit_and_a_dated_source_and_is_used() -> None:
    """A reader can look up each figure, and the file has no figure and no source too many."""
    content = tomllib.loads(TEXT)
    sources = content.pop("sources")
    figures = [(name, each) for section in content.values() for name, each in section.items()]
    code = "".join(path.read_text() for path in (PROJECT / "capacity").glob("*.py"))

    assert {figure["source"] for _, figure in figures} == set(sources)
    assert all(each["url"] and each["note"] for each in sources.values())
    assert all(isinstance(each["date"], date) for each in sources.values())
    assert all(figure["unit"] for _, figure in figures)
    assert [name for name, _ in figures if not re.search(rf'[."]{name}\b', code)] == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("alarm_month = {value = 0.10,", "alarm_month = {value = -1,", "number of at least 0"),
        ("shard_records = {value = 1000,", "shard_records = {value = 0,", "number over 0"),
        ("shard_reads = {value = 5,", "shard_reads = {value = nan,", "number of at least 0"),
        ("shard_reads = {value = 5,", 'shard_reads = {value = "5",', "number of at least 0"),
        ("shard_reads = {value = 5,", "shard_reads = {", "number of at least 0"),
        ("traces_share = {value = 0.05,", "traces_share = {value = 2,", "number from 0 to 1"),
        ("[[0, 0.0000166667]", "[[1, 0.0000166667]", "pairs of units and a price"),
        ("shard_reads = {", "shard_raeds = {", "limits.shard_raeds, limits.shard_reads"),
        ("[kinesis]", "[kinesis", "(at line"),
    ],
)
def test_file_with_a_wrong_figure_is_rejected(
    tmp_path: Path, old: str, new: str, error: str
) -> None:
    """The error names the figure and the allowed values, so a bad edit never reaches a bill."""
    assert TEXT.count(old) == 1
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new))

    with pytest.raises(OpsError, match=re.escape(error)):
        read(path)


def test_missing_file_and_unknown_figure_are_rejected_by_name(tmp_path: Path) -> None:
    """The error names the path of a missing file, and a figure that the file does not have."""
    with pytest.raises(OpsError, match=r"none\.toml"):
        read(tmp_path / "none.toml")
    with pytest.raises(OpsError, match=r"figure=kinesis\.shard_our; expected one of"):
        read(PRICES, {"kinesis.shard_our": 1})


@pytest.mark.parametrize(
    ("parameter", "setting"),
    [
        ("BatchSize", "batch_size"),
        ("BatchWindowSeconds", "window_seconds"),
        ("Parallelization", "parallelization"),
        ("MemorySize", "memory_mb"),
        ("RetentionHours", "retention_hours"),
    ],
)
def test_defaults_of_settings_are_those_of_the_template(parameter: str, setting: str) -> None:
    """A plan without options describes the stack that a deployment without options creates."""
    assert source()["Parameters"][parameter]["Default"] == getattr(scenario(), setting)


def of_type(kind: str, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the properties of the resources of a type of CloudWatch's."""
    return [each["Properties"] for each in resources if each["Type"] == f"AWS::CloudWatch::{kind}"]


def watched(resources: list[dict[str, Any]]) -> int:
    """Return how many metrics the alarms watch: one each, or several by metric math."""
    return sum(
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [{"MetricStat": {}}]))
        for alarm in of_type("Alarm", resources)
    )


def test_figures_of_this_project_are_those_of_its_template_and_settings() -> None:
    """Timeout, shards, watched metrics, dashboards and retention of cases match the template."""
    template, prices = source(), read()
    resources = template["Resources"].values()
    always = [each for each in resources if "Condition" not in each]
    decides = [each for each in resources if each.get("Condition") == "DecidesOnRides"]
    tip = [each for each in resources if each.get("Condition") == "PredictsTip"]
    monitoring = prices.monitoring
    settings = Settings.from_environ({"DECISIONS_TABLE": "cases"})

    assert template["Globals"]["Function"]["Timeout"] == prices.limits.timeout_seconds
    assert template["Parameters"]["ShardCount"]["MaxValue"] == prices.limits.template_shards
    assert template["Parameters"]["StreamMode"]["Default"].lower() == scenario().mode
    assert watched(always) == monitoring.alarm_metrics + monitoring.predictor_alarm_metrics
    assert watched(tip) == monitoring.predictor_alarm_metrics
    assert watched(decides) == monitoring.decision_alarm_metrics
    assert len(of_type("Dashboard", always)) == monitoring.dashboards
    assert len(of_type("Dashboard", decides)) == monitoring.decision_dashboards
    assert settings.keep_hours == prices.decisions.keep_hours
    assert len(f"shardId-{0:012d}.{GROUPS - 1}") == prices.aggregation.group_key_bytes
