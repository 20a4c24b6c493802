"""The web service's own settings of gunicorn, without what belongs to its models."""

from typing import Any

from web_service.gunicorn_conf import *  # noqa: F403 - settings are the names of a module


def post_fork(server: Any, worker: Any) -> None:  # type: ignore[no-redef] # replaces the hook
    """Nothing is followed."""
