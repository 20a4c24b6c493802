"""The tables of environment variables in docs/, and the settings that read them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from decision_service.settings import Settings as DecisionSettings
from model_service.settings import Settings as ModelSettings
from tests.conftest import PROJECT
from web_service.settings import WebSettings

Read = Callable[[Mapping[str, str]], Any]


class Environment(dict[str, str]):
    """Environment variables that record which of them are read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


# Page, heading, reader, required variables, and variables that only one side has.
TABLES: list[tuple[str, str, Read, dict[str, str], set[str]]] = [
    (
        "reference",
        "Environment variables",
        ModelSettings.from_environ,
        {"RUN_ID": "r", "MODEL_BUCKET": "models"},
        {"AWS_ENDPOINT_URL"},  # boto3 reads it
    ),
    (
        "decisions",
        "Environment variables",
        DecisionSettings.from_environ,
        {"DECISIONS_TABLE": "cases"},
        {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"},
    ),
    (
        "web-service",
        "Further variables",
        WebSettings.from_environ,
        {},
        {"MODEL_URI", "GUNICORN_CMD_ARGS"},  # gunicorn reads the latter
    ),
]


@pytest.mark.parametrize(("page", "heading", "read", "required", "apart"), TABLES)
def test_page_names_every_variable_with_its_default(
    page: str, heading: str, read: Read, required: dict[str, str], apart: set[str]
) -> None:
    """A table lists exactly the variables that the settings read, with their actual defaults."""
    text = (PROJECT / f"docs/{page}.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    environ = Environment(required)

    settings = read(environ)

    assert set(re.findall(r"`([A-Z]+_?[A-Z0-9_]+)`", section)) ^ environ.asked == apart
    for name, default in re.findall(r"^\| `([A-Z0-9_]+)` \| `(.*?)` \|", section, re.MULTILINE):
        assert read({**required, name: default}) == settings, name
