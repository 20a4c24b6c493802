"""The account of a run, a line a month."""

from collections.abc import Iterator, Sequence

from batch.account import Account, total
from batch.job import Outcome

_FORMAT = "{:<32} {:>9} {:>9} {:>8} {:>9} {:>6} {:>6}"
_HEADER = _FORMAT.format("file", "rows", "predicted", "rejected", "compared", "RMSE", "MAE")


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
