"""The Lambda entry of the decision function: builds its service once, and hands events over."""

import os

from decision_service.bootstrap import build_handler
from streams.logs import set_up_logging

set_up_logging("decision_service", "streams")

lambda_handler = build_handler(os.environ)
