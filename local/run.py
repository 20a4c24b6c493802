"""`make run`: rides in, predictions and decisions out, on the local stack.

Prediction events, or with `make decide` decision events, go to stdout, one JSON line each, and
nothing else does. Progress and a summary go to stderr. The exit status is 0 only if every ride is
accounted for.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, chain
from pathlib import Path
from typing import TYPE_CHECKING

from cli.terminal import leave_stdout, say_lines
from event_source_mapping.emulator import Emulator, leave_aws
from event_source_mapping.local_stack import Stack
from event_source_mapping.stream_reader import StreamReader
from local.demo_rides import SampleRide, sample_rides
from local.ledger import Ledger
from local.sample_models import TEMPLATE, parameters_of, stop_on_signals, train_models
from streams.aggregation import payloads

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client

PREDICTORS = ("DurationFunction", "TipFunction")
DECIDES = "DecisionFunction"
# API reference, PutRecords: at most 500 entries.
ENTRIES_A_CALL = 500
POLL_SECONDS = 0.02
# A run that makes no progress for so long is over.
STALLED_SECONDS = 30.0


def main() -> int:
    """Run the whole and answer with the exit status."""
    arguments = _arguments()
    stop_on_signals()
    leave_aws()
    logging.disable(logging.WARNING)  # the summary says what became of each ride
    try:
        ledger = _run(arguments.rides, arguments.show)
    except KeyboardInterrupt:
        say_lines("stopped")
        return 130
    except BrokenPipeError:
        leave_stdout()
        say_lines("stopped: nobody reads the predictions any more")
        return 1
    for fault in ledger.faults()[:20]:
        say_lines(fault)
    say_lines(ledger.summary())
    return 1 if ledger.faults() else 0


def _run(count: int, show: str) -> Ledger:
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        say_lines("training the sample models ...")
        duration, tip = train_models(emulator, Path(folder))
        say_lines(f"trained run {duration.run_id}: RMSE {duration.rmse:.2f} minutes")
        say_lines(f"trained run {tip.run_id}: RMSE {tip.rmse:.2f} dollars")
        with Stack(emulator, parameters_of(duration, tip), TEMPLATE) as stack:
            say_lines(f"sending {count} rides ...")
            return account_for(stack, sample_rides(count), show)


def account_for(stack: Stack, rides: Sequence[SampleRide], show: str) -> Ledger:
    """Send rides, and follow each until it is rejected, or predicted and decided on.

    Args:
        stack: What they are sent to.
        rides: What is sent.
        show: What is printed: `predictions` or `decisions`.
    """
    functions = [stack.template.function(name) for name in PREDICTORS]
    decides = stack.template.function(DECIDES).environment
    environment, (mapping,) = functions[0].environment, functions[0].mappings
    kinesis, s3 = stack.emulator.client("kinesis"), stack.emulator.client("s3")
    predictions = StreamReader(kinesis, environment["PREDICTIONS_STREAM_NAME"])
    decisions = StreamReader(kinesis, decides["DECISIONS_STREAM_NAME"])
    ledger = Ledger([each.environment["MODEL_NAME"] for each in functions], is_deciding=True)
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(_send, kinesis, mapping.stream, rides, ledger)
        progressed = time.monotonic()
        while ledger.settled() < len(rides) and time.monotonic() < progressed + STALLED_SECONDS:
            if sent.done():
                sent.result()
            before = ledger.progress()
            for data in chain.from_iterable(payloads(record.data) for record in predictions.read()):
                _print(data, if_shown=show == "predictions")
                ledger.take_prediction(data, time.monotonic())
            for record in decisions.read():
                _print(record.data, if_shown=show == "decisions")
                ledger.take_decision(record.data)
            for body in _rejection_objects(s3, environment["FAILURES_BUCKET"]):
                ledger.take_rejections(body)
            if ledger.progress() > before:
                progressed = time.monotonic()
            time.sleep(POLL_SECONDS)
        sent.result()
    return ledger


def _send(
    kinesis: "KinesisClient", stream: str, rides: Sequence[SampleRide], ledger: Ledger
) -> None:
    for call in batched(rides, ENTRIES_A_CALL, strict=False):
        now = time.monotonic()
        answer = kinesis.put_records(
            StreamName=stream,
            Records=[{"Data": ride.data, "PartitionKey": ride.partition_key} for ride in call],
        )
        for ride, result in zip(call, answer["Records"], strict=True):
            if "SequenceNumber" not in result:
                raise RuntimeError(f"the emulator refused ride {ride.partition_key}: {result}")
            ledger.take_sent(result["SequenceNumber"], ride, now)


def _rejection_objects(s3: "S3Client", bucket: str) -> Iterator[bytes]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="rejected/"):
        for entry in page.get("Contents", ()):
            yield s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make run", usage="make run|decide [RIDES=N]", description=__doc__
    )
    parser.add_argument("--rides", type=_count, default=1000, help="how many rides to send")
    parser.add_argument("--show", choices=("predictions", "decisions"), default="predictions")
    return parser.parse_args()


def _print(data: bytes, *, if_shown: bool) -> None:
    if if_shown:
        print(data.decode(), flush=True)  # noqa: T201 - the command's output


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"RIDES={text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
