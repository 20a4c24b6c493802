"""The Lambda entry of the decision function: builds its service once, and hands events over."""

import os

from decision_service.bootstrap import build_handler
from model_service.logs import set_up_logging

set_up_logging("decision_service", "model_service")

lambda_handler = build_handler(os.environ)
