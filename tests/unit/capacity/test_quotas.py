from typing import Any

import pytest

from capacity.plan import plan
from capacity.quotas import exceeded
from capacity.scenario import Mode
from tests.unit.capacity.scenarios import PRICES, priced, scenario


@pytest.mark.parametrize("mode", list(Mode))
def test_a_thousand_rides_a_second_exceed_no_quota(mode: Mode) -> None:
    """The settings of the template suit a usual load in every mode."""
    assert exceeded(plan(scenario(1000, mode=mode), PRICES), PRICES) == []


@pytest.mark.parametrize(
    ("settings", "figures", "warning"),
    [
        (
            {"rides_per_second": 1e6, "peak_factor": 100},
            {},
            "concurrent executions at the peak: 166,732; maximum 1,000. Ask AWS for more",
        ),
        (
            {"rides_per_second": 1_001_000},
            {},
            "concurrent executions to catch up: 1,001; maximum 1,000. Ask AWS for more",
        ),
        ({}, {"invocation_ms": 60_000}, "predictor, seconds of a batch: 104; maximum 60. Lower"),
        ({}, {"ride_kb": 1000}, "MB of memory: 1,080; maximum 1,024. Raise --memory-mb"),
        ({}, {"ride_us": 10_000}, "predictor falls behind, batches a lane: 17.3; maximum 1. Raise"),
        ({"predictors": 2}, {}, "decision function falls behind, batches a lane: 4.21; maximum 1."),
        ({"predictors": 6}, {}, "consumers of the input stream: 6; maximum 5. Use --fan-out"),
        ({"output_consumers": 7}, {}, "consumers of the output stream: 7; maximum 5."),
        (
            {"aggregate_predictions": True, "rides_per_record": 100, "peak_factor": 100},
            {},
            "load of the busiest output shard: 2.14; maximum 1. Lower --fill",
        ),
        ({}, {"ride_bytes": 2e6}, "bytes of a record of the input stream: 2,000,000; maximum"),
        ({"rides_per_second": 10_000_001}, {}, "shards: 20,002; maximum 20,000. Ask AWS for more"),
        ({"rides_per_second": 200_001}, {}, "shards of a stream: 201; maximum 200. Raise"),
        (
            {"mode": Mode.ON_DEMAND, "peak_factor": 10},
            {},
            "shards of a stream: 20; maximum 8. Raise the rate of a new on-demand stream",
        ),
        (
            {"mode": Mode.ON_DEMAND, "rides_per_second": 1e7},
            {"ride_bytes": 2000},
            "bytes/s of a stream: 20,060,000,000; maximum 10,000,000,000.",
        ),
    ],
)
def test_quota_that_is_exceeded_is_named_with_its_value_and_advice(
    settings: dict[str, Any], figures: dict[str, float], warning: str
) -> None:
    """The warning has the value, the maximum and a remedy."""
    prices = priced(**{f"predictions__{name}": value for name, value in figures.items()})
    warnings = [str(quota) for quota in exceeded(plan(scenario(**settings), prices), prices)]

    assert any(each.startswith(warning) for each in warnings), warnings


def test_enhanced_fan_out_allows_more_consumers() -> None:
    """Six predictors on one stream exceed no quota if each has its own reads."""
    asked = scenario(predictors=6, decisions=False, fan_out=True)

    assert exceeded(plan(asked, PRICES), PRICES) == []


@pytest.mark.parametrize(
    "advice", [{"parallelization": 10}, {"parallelization": 3, "memory_mb": 1769}]
)
def test_advice_to_a_decision_function_that_falls_behind_helps(advice: dict[str, Any]) -> None:
    """With more lanes, the decision function keeps up with a thousand rides a second."""
    assert exceeded(plan(scenario(predictors=2, **advice), PRICES), PRICES) == []
