"""The shell that all tests run in, and models that this project's own training command made."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.plain_shell import NO_ACCOUNT, user_variables

PROJECT = Path(__file__).resolve().parent.parent

# No test depends on the speed of the machine: an example may take as long as it needs.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


def pytest_configure() -> None:
    """Leave out the user's AWS account, proxies and models, here and in processes started here."""
    for name in user_variables(os.environ):
        del os.environ[name]
    os.environ.update(NO_ACCOUNT)


def train(folder: Path, *options: str) -> dict[str, Any]:
    """Run the training command in a folder; gives its last line."""
    from local.sample_models import run_training  # moto, which no unit test imports

    return run_training(os.environ, "--rides", "2000", *options, folder=folder)


@pytest.fixture(scope="session")
def duration_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What training says of a model of durations, whose files are in a local folder."""
    return train(tmp_path_factory.mktemp("duration"))


@pytest.fixture(scope="session")
def tip_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What training says of a model of tips, whose files are in a local folder."""
    return train(tmp_path_factory.mktemp("tip"), "--target", "tip")
