"""The web service with the sample model, once for all tests that only ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web import Web, serving


@pytest.fixture(scope="session")
def web(duration_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Two processes that serve a model of a folder."""
    folder = tmp_path_factory.mktemp("web")
    with serving(
        folder, MODEL_LOCATION=duration_model["model_location"], WEB_CONCURRENCY="2"
    ) as running:
        yield running
