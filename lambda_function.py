"""The Lambda entry: builds the service once per environment, and hands events over."""

import os
from collections.abc import Mapping
from typing import Any

from model_service.bootstrap import build_service
from model_service.deadline import Context, Deadline
from model_service.logs import set_up_logging
from model_service.service import Response
from model_service.settings import Settings

set_up_logging("model_service")

service = build_service(Settings.from_environ(os.environ))


def lambda_handler(event: Mapping[str, Any], context: Context | None) -> Response:
    """Predict the rides of one batch of Kinesis records; see `Service.handle`."""
    return service.handle(event, Deadline.of(context))
