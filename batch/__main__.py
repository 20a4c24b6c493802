"""Scores files of trips: parquet in, parquet out, a file a taxi type and month.

Every row of a trip file has a row in the scored file: with a prediction, or with the reason why it
has none. A file that was scored before by the same model's version is left alone, so a run that
was stopped goes on where it was. A scored file is there as a whole or not at all.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from batch.account import Account, total
from batch.batch_errors import BatchError
from batch.job import Outcome, score_file
from batch.months import TripFile, choose
from batch.options import (
    add_model_options,
    add_month_options,
    given_months,
    model_settings,
    model_variables,
    with_options,
)
from batch.places import s3_client, source, target
from batch.scorer import Scorer
from cli.terminal import Progress, leave_stdout, log_in_lines, say
from model_service.models.loading import load_model
from streams.errors import ServiceError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


_FORMAT = "{:<32} {:>9} {:>9} {:>8} {:>9} {:>6} {:>6}"
_HEADER = _FORMAT.format("file", "rows", "predicted", "rejected", "compared", "RMSE", "MAE")


def main(arguments: Sequence[str], client: "Callable[[], S3Client]" = s3_client) -> int:
    """Score, and tell what came of it; answer with the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _score(options, client)
    except BatchError as error:
        say(str(error))
    except ServiceError as error:
        say(with_options(str(error)))
    except BotoCoreError as error:
        say(f"AWS cannot be asked ({error}); check AWS_PROFILE, AWS_DEFAULT_REGION and the network")
    except BrokenPipeError:
        leave_stdout()
        return 0
    except KeyboardInterrupt:
        say("interrupted; the files that are scored are whole, and the next run goes on from there")
        return 130
    else:
        return 0
    return 1


def _score(options: argparse.Namespace, client: "Callable[[], S3Client]") -> None:
    settings = model_settings(model_variables(options, os.environ))
    months = given_months(options)
    trips, scored = source(options.input, client), target(options.output, client)
    # Before the model: a month that is missing is told of at once.
    files = choose(trips.names(), options.input, *months)
    scorer = Scorer(load_model(settings))
    outcomes: list[Outcome] = []
    progress = Progress("scoring")
    try:
        for file in files:
            show = _shown(progress, file, len(outcomes), len(files))
            outcomes.append(score_file(trips, scored, file, scorer, show))
    finally:
        progress.clear()
        for line in summary(outcomes, scorer.version):
            print(line)  # noqa: T201 - the command's output


def _shown(progress: Progress, file: TripFile, done: int, of: int) -> Callable[[int, int], None]:
    """A bar over all files, each of which counts the same."""

    def show(rows: int, rows_of: int) -> None:
        text = f"{file.name}, {rows} of {rows_of} rows, file {done + 1} of {of}"
        progress.show(done + rows / max(rows_of, 1), of, text)

    return show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m batch", description=__doc__)
    score = parser.add_subparsers(required=True, metavar="score").add_parser(
        "score", help="score trip files", description=__doc__
    )
    add = score.add_argument
    add("--input", required=True, help="trip file, folder of them, or s3://bucket/prefix")
    add("--output", required=True, help="folder or s3://bucket/prefix for scored files")
    add_month_options(score)
    add_model_options(score)
    return parser


def summary(outcomes: Sequence[Outcome], version: str) -> Iterator[str]:
    """Lines of text: the errors are in minutes, over rides that took 1 to 60 minutes."""
    yield f"model version {version}; RMSE and MAE in minutes, over rides of 1 to 60 minutes"
    yield _HEADER
    for outcome in outcomes:
        note = "" if outcome.is_new else "  scored before"
        yield _line(outcome.file.name, outcome.account) + note
    whole = total([outcome.account for outcome in outcomes])
    if len(outcomes) > 1:
        yield _line("all", whole)
    for reason, count in whole.rejected.items():
        yield f"rejected: {count} {reason}"


def _line(name: str, account: Account) -> str:
    return _FORMAT.format(
        name,
        account.rows,
        account.predicted,
        account.rejections,
        account.compared,
        _minutes(account.rmse),
        _minutes(account.mae),
    )


def _minutes(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    log_in_lines()
    sys.exit(main(sys.argv[1:]))
