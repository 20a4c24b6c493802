"""The project's own template, transformed once."""

import copy
from typing import Any

import pytest

from tests.sam_transform import source, transformed


@pytest.fixture(scope="session")
def _transformed() -> dict[str, Any]:
    return transformed(source())


@pytest.fixture
def template(_transformed: dict[str, Any]) -> dict[str, Any]:
    """The project's CloudFormation template; each test may break its own."""
    return copy.deepcopy(_transformed)
