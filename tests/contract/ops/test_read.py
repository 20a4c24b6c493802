"""Reading streams that moto keeps, or does not."""

import pytest

from event_source_mapping.emulator import Emulator
from ops.read import main


def test_stream_that_is_not_there_is_told_with_those_that_are(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in a name is told with the names to choose from, and where they are."""
    for name in ("ride_events", "ride_predictions"):
        aws.client("kinesis").create_stream(StreamName=name, ShardCount=1)

    assert main(["rides"]) == 1

    assert capsys.readouterr().err == (
        "there is no stream 'rides'; STREAM must be one of those in us-east-1 at "
        f"{aws.endpoint}: ride_events, ride_predictions\n"
    )


def test_place_without_streams_is_told_as_the_wrong_one(
    aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has not sourced the local stack's file is told to."""
    assert main([]) == 1

    assert capsys.readouterr().err == (
        "there is no stream 'ride_predictions'; there are none in us-east-1 at "
        f"{aws.endpoint}: 'source .local/env', or check AWS_DEFAULT_REGION\n"
    )
