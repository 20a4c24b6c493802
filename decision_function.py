"""The Lambda entry of the decision function: builds its service once, and hands events over."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from decision_service.bootstrap import build_service
from decision_service.settings import Settings
from model_service.deadline import Context, Deadline

logging.getLogger("decision_service").setLevel(logging.INFO)
logging.getLogger("model_service").setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)  # where it found credentials is no news

service = build_service(Settings.from_environ(os.environ))


def lambda_handler(event: Mapping[str, Any], context: Context | None) -> dict[str, Any]:
    """Join one batch of predictions; or, when EventBridge's schedule calls, decide what is due."""
    deadline = Deadline.of(context)
    if event.get("source") == "aws.events":
        return service.sweep(deadline)
    return service.handle(event, deadline)
