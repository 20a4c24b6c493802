"""What failed, and its way back onto the input stream.

`list` counts the rejections and given-up batches of a failures bucket, `show` shows one record,
`put` puts records onto the input stream again: with their partition keys and their bytes, or what a
fix-up makes of these. A record is put onto a stream once, however many models rejected it and
however often `put` is run. Every function that reads the stream gets it, also those that had no
trouble with it before.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cli.aws_answers import checked, told
from cli.moments import moment
from cli.terminal import OpsError, Progress, leave_stdout, log_in_lines, say
from ops.redrive.commands import Connect, Redrive
from ops.redrive.failures import Kind
from ops.redrive.resend_plan import MEANINGS, Fate, Plan
from ops.redrive.selection import Selection

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client

STREAM = "ride_events"
BUCKET_VARIABLE = "FAILURES_BUCKET"
MAX_REPORTS = 20


@overload
def connected(service: Literal["kinesis"]) -> "KinesisClient": ...
@overload
def connected(service: Literal["s3"]) -> "S3Client": ...
def connected(service: Literal["kinesis", "s3"]) -> "KinesisClient | S3Client":
    """A boto3 client that gives up well within `put_log.LEASE_SECONDS`."""
    config = Config(
        connect_timeout=5,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return checked(boto3.client(service, config=config))


def summary(plan: Plan, onto: str, *, really: bool) -> Iterator[str]:
    """The account of a put, a line a figure; those that are 0 are left out but the first."""
    meanings = {**MEANINGS, Fate.PUT: f"onto {onto}"}
    for fate in Fate:
        if plan.fates[fate] or fate is Fate.PUT:
            name = "to put" if fate is Fate.PUT and not really else fate
            yield f"{name:12}{plan.fates[fate]:>8}  {meanings[fate]}".rstrip()
    if plan.doubtful:
        yield (
            f"{plan.doubtful} of them may have been put before: that put was cut off, or had no "
            "answer, and their rides may be predicted under two event IDs"
        )
    if not really:
        yield "dry run: nothing is put; --yes puts"


class _Reports:
    """Says the first few things that go wrong, and counts the others."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.count = 0

    def __call__(self, text: str) -> None:
        self.count += 1
        if self.count <= MAX_REPORTS:
            self._progress.clear()
            say(text)

    def end(self) -> None:
        if self.count > MAX_REPORTS:
            say(f"… and {self.count - MAX_REPORTS} more like these")


def main(arguments: Sequence[str], connect: Connect = connected) -> int:
    """Run one command; answer with the exit status: 0 only if nothing is left over."""
    log_in_lines()
    options = _parser().parse_args(arguments)
    try:
        with _telling(options):
            return _run(options, connect)
    except OpsError as error:
        say(str(error))
        return 1
    except BrokenPipeError:
        leave_stdout()
        return 0
    except KeyboardInterrupt:
        say("interrupted; what was put is remembered, and 'put' goes on from there")
        return 130


@contextmanager
def _telling(options: argparse.Namespace) -> Iterator[None]:
    """Turn an error of AWS into one line with what was asked for."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise OpsError(
            "AWS refuses, or does not answer: "
            f"{told(error, f'--bucket {options.bucket!r}, --stream, ')}"
        ) from None


def _run(options: argparse.Namespace, connect: Connect) -> int:
    if not options.bucket:
        raise OpsError(
            f"no bucket: --bucket is not given and {BUCKET_VARIABLE} is not set; it must be the "
            "failures bucket, which is local-failuresbucket after 'make up', and the stack's "
            "output FailuresBucket on AWS"
        )
    progress = Progress("reading")
    reports = _Reports(progress)
    redrive = Redrive(connect, options.bucket, progress, reports, options.onto)
    command = {"list": _list, "show": _show, "put": _put}[options.command]
    try:
        # A status of its own, or 1 for what was told to be passed over.
        return command(redrive, options) or int(reports.count > 0)
    finally:
        progress.clear()
        reports.end()


def _list(redrive: Redrive, options: argparse.Namespace) -> int:
    count, headings = 0, 0 if options.each else 1
    lines = redrive.lines(_selection(options), one_by_one=options.each)
    for count, line in enumerate(lines, start=1):  # noqa: B007 - how many there were
        _print(line)
    sys.stdout.flush()
    if count <= headings:
        say(redrive.what_there_is())
    return 0


def _show(redrive: Redrive, options: argparse.Namespace) -> int:
    _print(redrive.show(options.where, options.index, _selection(options)))
    return 0


def _put(redrive: Redrive, options: argparse.Namespace) -> int:
    options.stream = options.stream or STREAM
    plan = redrive.put(_selection(options), fix=options.fix, really=options.yes)
    for line in summary(plan, options.onto or options.stream, really=options.yes):
        _print(line)
    return 0


def _selection(options: argparse.Namespace) -> Selection:
    filters = {name: getattr(options, name, None) for name in Selection.__dataclass_fields__}
    return Selection(**{name: value for name, value in filters.items() if value != ""})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops.redrive", description=__doc__)
    parser.add_argument(
        "--bucket",
        default=os.environ.get(BUCKET_VARIABLE, ""),
        help=f"the failures bucket ({BUCKET_VARIABLE})",
    )
    parser.add_argument(
        "--stream", default="", help=f"input stream; list has all of them, put only {STREAM}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="count what failed")
    listing.add_argument("--each", action="store_true", help="a line for each record instead")
    show = commands.add_parser("show", help="show one record")
    show.add_argument("where", help="shard:sequence number[.place], or the key of an object")
    show.add_argument("index", type=_place, nargs="?", default=0, help="place in the object (0)")
    put = commands.add_parser("put", help="put records onto the input stream again")
    put.add_argument("--fix", default="", metavar="MODULE:FUNCTION", help="bytes -> bytes or None")
    put.add_argument("--yes", action="store_true", help="do it; a dry run without")
    for command in (listing, show, put):
        _add_filters(command)
    return parser


def _add_filters(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--onto", default="", help="another stream to put onto, or to tell what was put onto")
    add("--kind", type=_kind, choices=list(Kind), help="who gave it up: the function, the mapping")
    add("--reason", help="reason of a rejection, condition of a batch")
    add("--model", help="model, or function for a batch; or MODEL/VERSION")
    add("--shard", help="shard that the record was on")
    add("--since", type=moment, help="it came at this ISO time or later (UTC)")
    add("--until", type=moment, help="it came before this ISO time (UTC)")


def _kind(text: str) -> Kind:
    if text not in list(Kind):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; it must be {' or '.join(Kind)}")
    return Kind(text)


def _place(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; it must be a number from 0")
    return int(text)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - the command's output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
