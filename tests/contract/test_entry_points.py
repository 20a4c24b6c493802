"""The Lambda entry points, each imported in a new process."""

import logging
import sys
from typing import Any

import pytest

from tests.commands import finished


@pytest.mark.parametrize(
    ("entry", "packages", "environ"),
    [
        ("lambda_function", ("model_service", "streams"), {"TEST_RUN": "1"}),
        ("decision_function", ("decision_service", "streams"), {"DECISIONS_TABLE": "cases"}),
        (
            "batch_function",
            ("batch",),
            {"BATCH_INPUT": "s3://rides/trips", "BATCH_OUTPUT": "s3://rides/scored"},
        ),
    ],
)
def test_entry_point_logs_at_info(
    duration_model: dict[str, Any], entry: str, packages: tuple[str, ...], environ: dict[str, str]
) -> None:
    """An entry point sets its packages to INFO: metric filters and alarms read those lines."""
    levels = f"[logging.getLogger(name).getEffectiveLevel() for name in {packages}]"
    model = duration_model["model_location"]

    done = finished(
        [sys.executable, "-c", f"import logging, {entry}; print(*{levels})"],
        env={"AWS_DEFAULT_REGION": "eu-west-1", "MODEL_LOCATION": model, **environ},
        check=True,
    )

    assert done.stdout.split() == [str(logging.INFO)] * len(packages)
