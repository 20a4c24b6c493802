"""The Lambda entry: builds the service once per environment, and hands events over."""

import os
from collections.abc import Mapping
from typing import Any

from model_service.bootstrap import build_service
from model_service.service import Response
from model_service.settings import Settings
from streams.deadline import Context, Deadline
from streams.logs import set_up_logging

set_up_logging("model_service", "streams")

service = build_service(Settings.from_environ(os.environ))


def lambda_handler(event: Mapping[str, Any], context: Context | None) -> Response:
    """Predict the rides of one batch of Kinesis records; see `Service.handle`."""
    return service.handle(event, Deadline.of(context))
