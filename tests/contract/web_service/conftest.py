"""The web service with the sample model, and MLflow's own tracking server: once for all tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tracking import Tracking, emulator_process, tracking
from tests.web import Web, serving


@pytest.fixture(scope="session")
def web(duration_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Two processes that serve a model of a folder."""
    folder = tmp_path_factory.mktemp("web")
    with serving(
        folder, MODEL_LOCATION=duration_model["model_location"], WEB_CONCURRENCY="2"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """A tracking server with S3 behind it. A test points the alias before it starts a service."""
    with (
        emulator_process() as emulator,
        tracking(tmp_path_factory.mktemp("tracking"), emulator) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def first(server: Tracking) -> dict[str, Any]:
    """A run, and the number under which it is registered."""
    return _registered(server, "--seed", "1")


@pytest.fixture(scope="session")
def second(server: Tracking) -> dict[str, Any]:
    """Another run."""
    return _registered(server, "--seed", "2")


def _registered(server: Tracking, *options: str) -> dict[str, Any]:
    run = server.train(*options)
    return {**run, "number": server.register(run["model_location"], run["run_id"])}
