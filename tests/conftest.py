"""Models that this project's own training command made, once for all tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parent.parent

# No test depends on the speed of the machine: an example may take as long as it needs.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


def train(folder: Path, *options: str) -> dict[str, Any]:
    """Run the training command in a folder; gives its last line."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MLFLOW_", "MODEL_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "training", "--rides", "2000", *options],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="session")
def duration_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What training says of a model of durations, whose files are in a local folder."""
    return train(tmp_path_factory.mktemp("duration"))


@pytest.fixture(scope="session")
def tip_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What training says of a model of tips, whose files are in a local folder."""
    return train(tmp_path_factory.mktemp("tip"), "--target", "tip")
