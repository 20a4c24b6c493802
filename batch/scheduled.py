"""What a schedule starts: every file that is new, one after the other, as long as there is time.

A file that has been begun when Lambda ends the invocation is not lost and not half there: the next
invocation scores it. So nothing has to say which month is due, and a backlog of years goes the same
way as the month that came last night.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from batch.account import total
from batch.batch_errors import TripsError, UsageError
from batch.job import Outcome, score_file
from batch.months import Month, TripFile, choose
from batch.options import model_settings
from batch.places import Source, Target, s3_client, source, target
from batch.scorer import Scorer
from model_service.models.loading import load_model
from streams.deadline import Context, Deadline

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

_EVENT = ("from", "to")
_ALLOWED = "from and to, or neither"
# A file is begun if there is time for this many of the slowest before it: one may be larger.
_MARGIN = 2


class ScheduledScoring:
    """Scores the files of one place into another.

    Args:
        trips: Holds trip files.
        scored: Takes scored files.
        scorer: Scores.
        where: What the place of the trips is called in messages.
    """

    def __init__(self, trips: Source, scored: Target, scorer: Scorer, where: str) -> None:
        self._trips = trips
        self._scored = scored
        self._scorer = scorer
        self._where = where

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str], client: "Callable[[], S3Client]" = s3_client
    ) -> Self:
        """Read `BATCH_INPUT`, `BATCH_OUTPUT` and the settings of the model, and load that.

        Raises:
            BatchError: A variable is missing or not allowed.
            ServiceError: The model cannot be loaded.
        """
        trips, scored = (_required(environ, name) for name in ("BATCH_INPUT", "BATCH_OUTPUT"))
        settings = model_settings(environ)
        places = source(trips, client), target(scored, client)
        return cls(*places, Scorer(load_model(settings)), trips)

    def run(self, event: Mapping[str, Any], context: Context | None) -> dict[str, Any]:
        """Score what is new.

        Args:
            event: May have `from` and `to`, months as `2021-01`, to score some files only.
            context: Says how much time there is.

        Returns:
            Names of the files: those that were `scored`, those scored `before`, and those that are
            `left` for the next invocation; the counts of rows `predicted` and, by reason,
            `rejected`.

        Raises:
            UsageError: The event has something else.
            TripsError: There are no files, months are missing, or files cannot be read; the others
                were scored, as far as there was time.
            OutputError: A scored file cannot be written.
        """
        files = choose(self._trips.names(), self._where, *_months(event))
        outcomes, faults = self._score(files, Deadline.of(context))
        if faults:
            raise TripsError("; ".join(faults))
        account = total([outcome.account for outcome in outcomes if outcome.is_new])
        return {
            "scored": [outcome.file.name for outcome in outcomes if outcome.is_new],
            "before": [outcome.file.name for outcome in outcomes if not outcome.is_new],
            "left": [file.name for file in files[len(outcomes) :]],
            "predicted": account.predicted,
            "rejected": account.rejected,
        }

    def _score(
        self, files: Sequence[TripFile], deadline: Deadline
    ) -> tuple[list[Outcome], list[str]]:
        """What became of the files that there was time for, and what is wrong with some.

        A damaged file would else keep all that come after it, at every invocation anew.
        """
        outcomes: list[Outcome] = []
        faults: list[str] = []
        slowest = 0.0
        for file in files:
            begun = deadline.seconds_left()
            if begun <= _MARGIN * slowest:
                break
            try:
                outcomes.append(score_file(self._trips, self._scored, file, self._scorer, _unseen))
                logger.info("%s: %s", file.name, outcomes[-1].account)
            except TripsError as error:
                faults.append(str(error))
            slowest = max(slowest, begun - deadline.seconds_left())
        return outcomes, faults


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set; it must be a folder or s3://bucket/prefix")
    return value


def _months(event: Mapping[str, Any]) -> tuple[Month | None, Month | None]:
    if not isinstance(event, Mapping):
        raise UsageError(f"the event is {event!r}; it must be an object with {_ALLOWED}")
    unknown = sorted(event.keys() - set(_EVENT))
    if unknown:
        raise UsageError(f"the event has {', '.join(unknown)}; it may have {_ALLOWED}")
    first, last = (Month.parse(key, str(event[key])) if key in event else None for key in _EVENT)
    return first, last


def _unseen(done: int, of: int) -> None:
    """Nobody looks at the progress of a Lambda."""
