"""What becomes of the records of one invocation."""

from streams.fakes import kinesis_event
from streams.outcome import Outcome


def test_unfinished_records_are_counted_once_each() -> None:
    """An aggregated record with several unfinished rides counts as one record to redeliver."""
    outcome = Outcome(kinesis_event([b"1", b"2"]))
    first, second = outcome.records

    outcome.unfinished += [first, first, second]

    assert outcome.unfinished_records == 2
