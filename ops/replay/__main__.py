"""Scores rides that a stream keeps with another run's model: to compare it with what is live.

The records between two times, or two sequence numbers of a shard, go through the same service that
predicts them live. Prediction events go to a file, a line each, or to a stream that is named; bad
records are counted by reason, and nothing else is written.
"""

import argparse
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cli.aws_answers import checked, told
from cli.moments import written
from cli.terminal import OpsError, Progress, leave_stdout, log_in_lines, say
from model_service import service
from model_service.models.loading import load_model
from model_service.settings import Settings
from ops.read import STREAM as PREDICTIONS
from ops.replay.replay import replay, summary
from ops.replay.score import LinesFile, Scorer
from ops.replay.span import Bound, Span, bound
from streams.errors import ServiceError, SettingsError
from streams.records import UserRecord
from streams.writer import StreamWriter, Writer

STREAM = "ride_events"
STREAM_OUTPUT = "stream:"
# Where models are and how far they are trusted: the settings that no option is needed for.
_INHERITED = ("MODEL_BUCKET", "MLFLOW_EXPERIMENT_ID", "ALLOW_PICKLE")
# Where a function's live predictions go, as it is told; without a word, onto the usual stream.
_LIVE = "PREDICTIONS_STREAM_NAME"
_OPTIONS = {
    "RUN_ID": "--run-id",
    "MODEL_SHA256": "--model-sha256",
    "MODEL_BUCKET": "--bucket",
    "MLFLOW_EXPERIMENT_ID": "--experiment",
    "MODEL_LOCATION": "--model-location",
    "MODEL_NAME": "--model-name",
    "PREDICTION_FIELD": "--prediction-field",
}
_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

Connect = Callable[[Literal["kinesis"]], "KinesisClient"]


def main(arguments: Sequence[str], connect: Connect = boto3.client) -> int:
    """Replay, and tell what came of it; answer with the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _run(options, connect)
    except OpsError as error:
        say(str(error))
    except ServiceError as error:
        say(_with_options(str(error)))
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        say(
            f"the stream {options.stream!r} cannot be read: "
            f"{told(error, '--stream, --shard, --from, ')}"
        )
    except BrokenPipeError:
        leave_stdout()
        return 0
    except OSError as error:
        say(f"--output {options.output!r} cannot be written: {error}")
    except KeyboardInterrupt:
        say("interrupted; what is written so far is whole, but not all there is")
        return 130
    else:
        return 0
    return 1


def _run(options: argparse.Namespace, connect: Connect) -> None:
    span = _span(options)
    settings = _settings(options)
    kinesis = connect("kinesis")
    with _output(options, kinesis, {PREDICTIONS, settings.predictions_stream}) as sink:
        model = load_model(settings)
        scorer = Scorer(model, options.stream, sink)
        replay(
            kinesis,
            scorer,
            options.stream,
            span,
            only=options.shard,
            progress=Progress("replaying"),
        )
    for line in summary(model, scorer.score, _where(options.output)):
        print(line, file=sys.stderr)  # noqa: T201 - the command's output


def _span(options: argparse.Namespace) -> Span:
    start, end = options.start, options.end or Bound(time=time.time())
    for given in (start, end):
        if given and given.sequence_number is not None and options.shard is None:
            raise OpsError(
                f"--shard is not given, and {given.sequence_number} is a sequence number; name "
                "its shard, or give times"
            )
    if start:
        _require_order(start, end)
    return Span(start, end)


def _require_order(start: Bound, end: Bound) -> None:
    if start.time is not None and start.time > time.time():
        # Kinesis refuses it, too, in words of its own.
        raise OpsError(f"--from is {written(start.time)}; it must not be in the future")
    if start.time is not None and end.time is not None and start.time >= end.time:
        raise OpsError(
            f"--from is {written(start.time)}, and --to {written(end.time)}; it must be earlier"
        )
    first, last = start.sequence_number, end.sequence_number
    if first is not None and last is not None and first > last:
        raise OpsError(f"--from is {first}, and --to {last}; it must not be later")


def _settings(options: argparse.Namespace) -> Settings:
    """Settings that name the model; where it is does not come from what a function would serve.

    Raises:
        OpsError: A value is missing or not allowed.
    """
    environ = {name: os.environ.get(name, "") for name in (*_INHERITED, _LIVE, *_REGION)}
    given = {
        variable: getattr(options, option[2:].replace("-", "_"))
        for variable, option in _OPTIONS.items()
    }
    values = environ | {name: value for name, value in given.items() if value}
    try:
        return Settings.from_environ(values)
    except SettingsError as error:
        raise OpsError(_with_options(str(error))) from None


def _with_options(text: str) -> str:
    """An error about variables, as one about the options that were given for them."""
    return re.sub(r"\b(" + "|".join(_OPTIONS) + r")\b", lambda found: _OPTIONS[found[0]], text)


@contextmanager
def _output(
    options: argparse.Namespace, kinesis: "KinesisClient", live: Set[str]
) -> Iterator[Writer[UserRecord]]:
    """Where predictions go: only ever what was named.

    Raises:
        OpsError: It is the input stream, or a live one without --yes; there is no such stream,
            or the file exists.
    """
    output: str = options.output
    if output.startswith(STREAM_OUTPUT):
        name = output.removeprefix(STREAM_OUTPUT)
        if name in live and not options.yes:
            raise OpsError(
                f"--output {output} is not allowed without --yes: it is the stream of the live "
                f"predictions ({PREDICTIONS}, and what {_LIVE} says), whose readers would take "
                "these for live, too; name another stream, or a file"
            )
        yield _stream(kinesis, name, options.stream)
    elif output == "-":
        yield LinesFile(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        try:
            file = Path(output).open("xb")  # noqa: SIM115 - closed below
        except FileExistsError:
            raise OpsError(
                f"--output {output!r} exists; name another file, or remove that one"
            ) from None
        try:
            with file:
                yield LinesFile(file)
        except BaseException:
            if not Path(output).stat().st_size:
                # The next try, with a better option, must not find it in its way.
                Path(output).unlink()
            raise


def _where(output: str) -> str:
    """What became of the predictions."""
    if output.startswith(STREAM_OUTPUT):
        return f"put onto the stream {output.removeprefix(STREAM_OUTPUT)}"
    return "written to " + ("standard output" if output == "-" else output)


def _stream(kinesis: "KinesisClient", name: str, source: str) -> StreamWriter:
    if not name:
        raise OpsError(
            f"--output {STREAM_OUTPUT} names no stream; it must be {STREAM_OUTPUT}NAME, a new "
            "file, or -"
        )
    if name == source:
        raise OpsError(
            f"--output {STREAM_OUTPUT}{name} is not allowed: it is the stream that rides are on; "
            "name one for predictions"
        )
    try:
        kinesis.describe_stream_summary(StreamName=name)
    except ClientError as error:
        raise OpsError(
            f"--output {STREAM_OUTPUT}{name} cannot be used: {error}; it must be a stream that "
            "exists"
        ) from None
    return StreamWriter(kinesis, name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops.replay", description=__doc__)
    add = parser.add_argument
    add("--stream", default=STREAM, help=f"stream that keeps the rides ({STREAM})")
    add("--from", dest="start", type=bound, help="ISO time (UTC) or sequence number (the oldest)")
    add("--to", dest="end", type=bound, help="ISO time (UTC) or sequence number (now)")
    add("--shard", help="only this shard; needed for sequence numbers")
    add("--output", required=True, help=f"a new file, - or {STREAM_OUTPUT}NAME")
    add("--yes", action="store_true", help="put onto the stream of the live predictions, too")
    add("--run-id", default="", help="MLflow run ID")
    add("--model-sha256", default="", help="digest the model must have")
    add("--bucket", default="", help="bucket of MLflow's artifacts (MODEL_BUCKET)")
    add("--experiment", default="", help="experiment of the run (MLFLOW_EXPERIMENT_ID, or 1)")
    add("--model-location", default="", help="folder or s3:// URI of a model; wins over these two")
    add("--model-name", default="", help="model in prediction events, as MODEL_NAME")
    add("--prediction-field", default="", help="predicted value in them, as PREDICTION_FIELD")
    return parser


if __name__ == "__main__":
    log_in_lines()
    # It warns of every page that has a bad record; the summary counts them.
    logging.getLogger(service.__name__).setLevel(logging.ERROR)
    sys.exit(main(sys.argv[1:], lambda _: checked(boto3.client("kinesis"))))
