"""The decision function of this example."""

import os

from decision_service.bootstrap import build_handler

lambda_handler = build_handler(os.environ)
