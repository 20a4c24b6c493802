"""What a plan runs into, and what is said of it."""

from dataclasses import replace

import pytest

from capacity.plan import plan
from capacity.quotas import crossed
from capacity.scenario import Mode, Scenario
from tests.unit.capacity.scenarios import PRICES, scenario


def said(asked: Scenario) -> str:
    return "\n".join(crossed(plan(asked, PRICES), PRICES))


@pytest.mark.parametrize("mode", list(Mode))
def test_small_plan_runs_into_nothing(mode: Mode) -> None:
    """A thousand rides a second are within every quota."""
    assert said(scenario(1000, mode=mode)) == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"rides_per_second": 1_000_000, "ride_us": 2000},
            "concurrent executions at the peak: an account has 1,000; ask for more",
        ),
        (
            {"rides_per_second": 1_001_000},
            "up to 1,001 concurrent executions when the functions catch up: an account has 1,000",
        ),
        (
            {"invocation_ms": 60_000},
            "a batch takes 104 s: the timeout is 60 s; lower --batch-size",
        ),
        (
            {"rides_per_record": 100, "ride_kb": 500, "window_seconds": 60, "batch_size": 10_000},
            "a function has 1,024; raise --memory-mb, or lower --batch-size",
        ),
        (
            {"ride_us": 10_000},
            "fall behind: a lane would have to run 17.3 batches at a time; raise --parallelization",
        ),
        (
            {"predictors": 6},
            "6 consumers of the input stream: a shard takes 5 reads a second; use --fan-out",
        ),
        (
            {"output_consumers": 7},
            "7 consumers of the output stream: a shard takes 5 reads a second; use --fan-out",
        ),
        (
            {"aggregate_predictions": True, "rides_per_record": 100, "rides_per_second": 100_000},
            "some 2.1 times what a shard takes, on the busiest one of the output stream",
        ),
        (
            {"prediction_bytes": 1_048_576, "aggregate_predictions": True},
            "bytes: it may have 1,048,576; lower --prediction-bytes",
        ),
        (
            {"rides_per_record": 10_000, "rides_per_second": 10_000_000, "ride_bytes": 200},
            "bytes: it may have 1,048,576; lower --rides-per-record",
        ),
        (
            {"rides_per_second": 10_000_001},
            "20,002 shards: an account has 20,000; ask for more",
        ),
        (
            {"rides_per_second": 10_000_001},
            "10,001 shards of a stream: UpdateShardCount makes 10,000",
        ),
        (
            {"rides_per_second": 200_001},
            "201 shards of a stream: template.yaml's ShardCount takes 200",
        ),
        (
            {"rides_per_second": 5000, "mode": Mode.ON_DEMAND, "peak_factor": 2},
            "room of 20 and 20 shards: a new on-demand stream has 4; at most double the rate",
        ),
        (
            {"rides_per_second": 10_000_000, "ride_bytes": 2000, "mode": Mode.ON_DEMAND},
            "20.1 GB/s written to the input stream and 20.1 read: on demand it takes 10 and 20",
        ),
    ],
)  # fmt: skip
def test_limit_that_is_crossed_is_named_with_what_to_do(
    changes: dict[str, float], expected: str
) -> None:
    """One line a limit: how much it would be, how much may be."""
    assert expected in said(scenario(**changes))


def test_concurrency_is_counted_at_the_peak() -> None:
    """A mean that is within the quota, and a peak that is not."""
    asked = scenario(100_000, ride_us=100, fill=0.01)

    assert "at the peak" not in said(asked)
    assert "concurrent executions at the peak" in said(replace(asked, peak_factor=100))


def test_consumers_with_fan_out_do_not_share_reads() -> None:
    """The advice helps."""
    assert said(scenario(1000, predictors=6, decides=False, fan_out=True)) == ""
