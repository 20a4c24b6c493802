"""The Lambda entry of the decision function: builds its service once, and hands events over."""

import logging
import os

from decision_service.bootstrap import build_handler

for name in ("decision_service", "model_service"):
    logging.getLogger(name).setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)  # where it found credentials is no news

lambda_handler = build_handler(os.environ)
