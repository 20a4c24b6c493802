"""The project's own template, transformed once."""

from typing import Any

import pytest

from tests.sam_transform import source, transformed


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """Return the project's CloudFormation template, which tests only read."""
    return transformed(source())
