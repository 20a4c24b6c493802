from typing import Any

import pytest

from decision_service.bootstrap import build_handler
from streams.errors import EventError

ENVIRON = {"DECISIONS_TABLE": "cases", "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize("event", [None, [], {}, {"source": "aws.s3"}, {"Records": [{}]}])
def test_handler_event_that_is_neither_a_batch_nor_a_schedules_is_refused(event: Any) -> None:
    """An invocation by hand that gives something else is told so, whatever it is."""
    handler = build_handler(ENVIRON)

    with pytest.raises(EventError, match="^this is not a batch of Kinesis records: "):
        handler(event, None)
