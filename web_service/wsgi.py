"""The composition root: environment variables -> an application with its model in memory."""

import os
import sys

from streams.errors import ServiceError
from web_service.app import create_app
from web_service.follower import Follower
from web_service.serving import Serving
from web_service.settings import WebSettings
from web_service.sources import RegisteredModel, first_model

try:
    settings = WebSettings.from_environ(os.environ)
    serving = Serving(first_model(settings, os.environ))
except ServiceError as error:
    sys.exit(f"web_service: error: {error}")
app = create_app(serving, settings.max_body_bytes)


def follow() -> None:
    """Follow the alias, if there is one; in each worker, for threads do not survive a fork."""
    if settings.registry is not None and settings.model_name is not None:
        source = RegisteredModel(settings.registry, settings.model_name, os.environ)
        Follower(source, serving, settings.poll_seconds).start()
