"""Scores records with a model, through the service that also predicts them live."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from cli.terminal import OpsError
from model_service.models.loading import Model
from model_service.service import Service
from ops.lambda_events import lambda_record
from streams.deadline import Deadline
from streams.records import SourceRecord, UserRecord
from streams.rejections import Rejection
from streams.shard_reader import Page
from streams.writer import Entry, Writer

# For a page of records: long for a model, and long enough for a stream that is throttled a while.
PATIENCE_SECONDS = 300.0


@dataclass(slots=True)
class Score:
    """What came of records.

    Attributes:
        records: How many records were scored.
        rides: How many rides were predicted.
        total: The sum of their predictions, in the unit of the target.
        rejected: How many bad records there were of each reason.
        first: When the first of the records came, in seconds since the epoch.
        last: When the last of them came.
    """

    records: int = 0
    rides: int = 0
    total: float = 0.0
    rejected: Counter[str] = field(default_factory=Counter)
    first: float = float("inf")
    last: float = float("-inf")

    @property
    def mean(self) -> float | None:
        """The mean prediction; None without rides."""
        return self.total / self.rides if self.rides else None


class LinesFile:
    """Writes prediction events to a file, a line each."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def put(
        self, entries: Sequence[Entry[UserRecord]], deadline: Deadline
    ) -> list[Entry[UserRecord]]:
        """Write the entries; answer that all are written."""
        self._file.writelines(entry.data + b"\n" for entry in entries)
        return []


class RejectionCounter:
    """Counts rejections, and keeps none: what is live has kept them already."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def put(
        self, rejections: Sequence[Rejection], batch: Sequence[SourceRecord], deadline: Deadline
    ) -> bool:
        """Count the rejections; answer that they are safe."""
        self.reasons.update(rejection.reason.value for rejection in rejections)
        return True


class Scorer:
    """Scores pages of records, and sends the prediction events to a sink.

    Attributes:
        score: What came of the records so far.
    """

    def __init__(self, model: Model, stream: str, predictions: Writer[UserRecord]) -> None:
        rejections = RejectionCounter()
        self._stream = stream
        self._field = model.field
        self._service = Service(
            model=model, predictions=predictions, rejections=rejections, return_predictions=True
        )
        self.score = Score(rejected=rejections.reasons)

    def take(self, shard: str, page: Page) -> None:
        """Score a page of a shard.

        Raises:
            OpsError: The sink did not take all of its predictions in time.
            ModelBroken: The model fails on every ride.
        """
        if not page:
            return
        event = {"Records": [lambda_record(self._stream, shard, record) for record in page]}
        answer = self._service.handle(event, Deadline(PATIENCE_SECONDS))
        for failure in answer["batchItemFailures"]:
            raise OpsError(
                f"the output did not take every prediction; {self.score.rides} rides of the pages "
                f"before are on it; go on with --shard {shard} --from {failure['itemIdentifier']}, "
                "then with each shard after it"
            )
        self._count(page, [event["prediction"][self._field] for event in answer["predictions"]])

    def _count(self, page: Page, values: Sequence[Any]) -> None:
        times = [record["ApproximateArrivalTimestamp"].timestamp() for record in page]
        self.score.records += len(page)
        self.score.rides += len(values)
        self.score.total += sum(values)
        self.score.first = min(self.score.first, *times)
        self.score.last = max(self.score.last, *times)
