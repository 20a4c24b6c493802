"""The shell that tests run in, without the user's AWS account, proxies, models and settings."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent
# The pages that have a table of the environment variables that the project reads.
_PAGES = ("reference", "decisions", "web-service")
# Variables of libraries, and of a make that started the tests.
_PREFIXES = ("GUNICORN_", "MAKE", "MFLAGS", "MLFLOW_", "PIPENV_")

# Empty files in place of ~/.aws, and no request to EC2 for credentials.
NO_ACCOUNT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def project_variables() -> set[str]:
    """Return the variables that the pages and the Makefile document."""
    pages = "\n".join((_PROJECT / f"docs/{name}.md").read_text() for name in _PAGES)
    cells = "\n".join(re.findall(r"^\| (.*?) \|", pages, re.MULTILINE))
    documented = re.findall(r"`([A-Z][A-Z0-9_]+)`", cells)
    return {*documented, *re.findall(r"^(\w+) \?=", (_PROJECT / "Makefile").read_text(), re.M)}


def user_variables(names: Iterable[str]) -> set[str]:
    """Select the variables that change the behaviour of the project or its libraries."""
    ours = project_variables()
    return {n for n in names if n in ours or n.startswith(_PREFIXES) or leads_to_aws(n)}


def leads_to_aws(name: str) -> bool:
    """Tell whether a variable belongs to an AWS account or a proxy."""
    return name.startswith("AWS_") or name.lower().endswith("_proxy")
