"""`make run`: rides in, predictions out, on the local stack.

Prediction events go to stdout, one JSON line each, and nothing else does. Progress and a summary go
to stderr. The exit status is 0 only if every ride is accounted for.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, chain
from pathlib import Path
from typing import Any

from local.emulator import Emulator, leave_aws
from local.ledger import Ledger
from local.reader import StreamReader
from local.rides import SampleRide, sample_rides
from local.stack import MODEL_BUCKET, Stack, stop_on_signals, train_model
from model_service.aggregation import payloads

FUNCTION = "DurationFunction"
# API reference, PutRecords: at most 500 entries.
ENTRIES_A_CALL = 500
POLL_SECONDS = 0.02
# A run that makes no progress for so long is over.
STALLED_SECONDS = 30.0


def main() -> int:
    """Run the whole and answer with the exit status."""
    count = _arguments().rides
    stop_on_signals()
    leave_aws()
    logging.disable(logging.WARNING)  # the summary says what became of each ride
    try:
        ledger = _run(count)
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    except BrokenPipeError:
        # Whoever read the predictions has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _say("stopped: nobody reads the predictions any more")
        return 1
    for fault in ledger.faults()[:20]:
        _say(fault)
    _say(ledger.summary())
    return 1 if ledger.faults() else 0


def _run(count: int) -> Ledger:
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        _say("training the sample model ...")
        model = train_model(emulator, Path(folder))
        _say(f"trained run {model.run_id}: RMSE {model.rmse:.2f} minutes")
        with Stack(emulator, {"RunId": model.run_id, "ModelBucket": MODEL_BUCKET}) as stack:
            _say(f"sending {count} rides ...")
            return account_for(stack, sample_rides(count))


def account_for(stack: Stack, rides: Sequence[SampleRide]) -> Ledger:
    """Send rides, print their predictions, and follow each until it is predicted or rejected."""
    function = stack.template.function(FUNCTION)
    environment, (mapping,) = function.environment, function.mappings
    kinesis, s3 = stack.emulator.client("kinesis"), stack.emulator.client("s3")
    output = StreamReader(kinesis, environment["PREDICTIONS_STREAM_NAME"])
    ledger = Ledger()
    with ThreadPoolExecutor(1) as sender:
        sent = sender.submit(_send, kinesis, mapping.stream, rides, ledger)
        progressed = time.monotonic()
        while ledger.settled() < len(rides) and time.monotonic() < progressed + STALLED_SECONDS:
            if sent.done():
                sent.result()
            before = ledger.settled()
            for data in chain.from_iterable(payloads(record.data) for record in output.read()):
                print(data.decode(), flush=True)  # noqa: T201 - the command's output
                ledger.take_prediction(data, time.monotonic())
            for body in _rejection_objects(s3, environment["FAILURES_BUCKET"]):
                ledger.take_rejections(body)
            if ledger.settled() > before:
                progressed = time.monotonic()
            time.sleep(POLL_SECONDS)
        sent.result()
    return ledger


def _send(kinesis: Any, stream: str, rides: Sequence[SampleRide], ledger: Ledger) -> None:
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


def _rejection_objects(s3: Any, bucket: str) -> Iterator[bytes]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="rejected/"):
        for entry in page.get("Contents", ()):
            yield s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make run", usage="make run [RIDES=N]", description=__doc__
    )
    parser.add_argument("--rides", type=_count, default=1000, help="how many rides to send")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"RIDES={text!r} is not a whole number above 0")
    return int(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's progress


if __name__ == "__main__":
    sys.exit(main())
