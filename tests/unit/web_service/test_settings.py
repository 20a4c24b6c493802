"""The web service's own variables, and where they are told of."""

import re

from tests.conftest import PROJECT
from web_service.settings import WebSettings


def test_docs_name_every_variable_with_its_default() -> None:
    """The table of variables and the code that reads them agree."""
    source = (PROJECT / "web_service/settings.py").read_text()
    page = (PROJECT / "docs/web-service.md").read_text()
    settings = WebSettings.from_environ({})
    defaults = {
        "BIND_ADDRESS": settings.address,
        "PORT": settings.port,
        "MODEL_POLL_SECONDS": settings.poll_seconds,
        "MAX_BODY_BYTES": settings.max_body_bytes,
        "READ_TIMEOUT": settings.read_timeout,
        "WEB_CONCURRENCY": settings.processes,
    }

    assert set(re.findall(r'read\.whole\("([A-Z_]+)"', source)) < defaults.keys()
    for name, default in defaults.items():
        assert f"| `{name}` | `{default}` |" in page


def test_empty_variables_count_as_not_set() -> None:
    """An empty value is no value, as for the function."""
    empty = dict.fromkeys(("PORT", "BIND_ADDRESS", "MODEL_URI", "READ_TIMEOUT"), "")

    assert WebSettings.from_environ(empty) == WebSettings.from_environ({})
