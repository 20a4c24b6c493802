"""The scheduled entry: scores the files of trips that are new, as many as there is time for."""

import os
from collections.abc import Mapping
from typing import Any

from batch.scheduled import ScheduledScoring
from streams.deadline import Context
from streams.logs import set_up_logging

set_up_logging("batch")

scoring = ScheduledScoring.from_environ(os.environ)


def lambda_handler(event: Mapping[str, Any], context: Context | None) -> dict[str, Any]:
    """Score what is new; see `ScheduledScoring.run`."""
    return scoring.run(event, context)
