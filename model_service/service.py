"""A batch of source records in; predictions, rejections and failed items out."""

import logging
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NotRequired

import msgspec
from msgspec import Struct

from model_service.deadline import Deadline
from model_service.errors import OUTAGES, ModelBroken, place_of
from model_service.events import (
    SAMPLE,
    Reason,
    Rejected,
    Ride,
    RideEvent,
    decode_ride_event,
    decode_ride_events,
)
from model_service.features import ride_features
from model_service.kinesis import (
    BatchResponse,
    SourceRecord,
    UserRecord,
    item_failures,
    source_records,
    user_records,
)
from model_service.logs import log_fields
from model_service.prediction_encoder import PredictionEncoder
from model_service.predictors import Predictor
from model_service.rejections import store_rejections
from model_service.sinks import Entry, PredictionSink, RejectionSink

logger = logging.getLogger(__name__)


class Response(BatchResponse):
    """A partial batch response, and the predictions if they are to be returned."""

    predictions: NotRequired[list[Any]]


@dataclass(frozen=True, slots=True)
class Model:
    """A model in memory, and what prediction events say of it."""

    name: str
    version: str
    field: str
    predictor: Predictor

    def values(self, rides: Sequence[Ride]) -> Sequence[float]:
        """Predict a value for each ride.

        Raises:
            Exception: The model raises, or returns more or fewer values.
        """
        values = self.predictor.predict(ride_features(rides))
        if len(values) != len(rides):
            raise ValueError(f"{len(values)} predictions for {len(rides)} rides")
        return values

    def predicts(self, ride: Ride) -> bool:
        """Return whether the model predicts a value for a ride.

        Raises:
            MemoryError, OSError: Memory, a disk or a network fails the model.
        """
        try:
            self.values([ride])
        except OUTAGES:
            raise
        except Exception:
            return False
        return True


class Rides(Struct, frozen=True):
    """Valid ride events, and the user records that hold them, place for place."""

    records: Sequence[UserRecord]
    events: Sequence[RideEvent]


class Fates:
    """What became of the records of one invocation.

    Attributes:
        records: What Lambda delivered.
        predicted: User records with a ride that was predicted,
        events: what these say,
        values: and what was predicted for each, place for place.
        rejected: User records that can never succeed, with reason and detail.
        unfinished: Records with a ride that there was no time to predict.
    """

    def __init__(self, records: list[SourceRecord]) -> None:
        self.records = records
        self.predicted: list[UserRecord] = []
        self.events: list[RideEvent] = []
        self.values: list[float] = []
        self.rejected: list[tuple[UserRecord, Reason, str]] = []
        self.unfinished: list[SourceRecord] = []

    def predict(self, rides: Rides, values: Sequence[float]) -> None:
        """Take the values of rides."""
        self.predicted += rides.records
        self.events += rides.events
        self.values += values


class Service:
    """Predicts batches of rides.

    Args:
        model: Predicts, and names itself in events.
        predictions: Takes prediction events.
        rejections: Takes records that can never succeed.
        return_predictions: Whether an answer shows its prediction events.
    """

    def __init__(
        self,
        *,
        model: Model,
        predictions: PredictionSink,
        rejections: RejectionSink,
        return_predictions: bool,
    ) -> None:
        self._model = model
        self._predictions = predictions
        self._rejections = rejections
        self._return_predictions = return_predictions
        self._encoder = PredictionEncoder(model.name, model.version, model.field)
        self._last_predicted = SAMPLE

    def handle(self, event: Mapping[str, Any], deadline: Deadline) -> Response:
        """Process one invocation.

        Args:
            event: A batch of Kinesis records, as Lambda delivers it.
            deadline: When to stop; what is not done by then is reported as failed.

        Returns:
            `batchItemFailures` with the lowest sequence number that is not done, if there is one;
            and `predictions`, unless they are not to be returned: all that were predicted, also
            those that could not be sent and come again.

        Raises:
            EventError: The event is not a batch of Kinesis records.
            ModelBroken: The model fails on every ride, also on the last one that it predicted.
        """
        fates = Fates(source_records(event))
        self._predict(self._decode(fates), fates, deadline)
        # Rejections first: they are one call, and the predictions may take all the time there is.
        unfinished = [*fates.unfinished, *self._store_rejections(fates, deadline)]
        entries = self._entries(fates)
        unfinished += [entry.source for entry in self._predictions.put(entries, deadline)]
        self._log(fates, unfinished)
        return self._answer(entries, unfinished)

    def _decode(self, fates: Fates) -> Rides:
        # Their payloads, but for the property, which takes longer than it saves here.
        events = decode_ride_events([record.kinesis.data for record in fates.records])
        if events is not None:
            return Rides(fates.records, events)
        records = list(self._user_records(fates))
        if records != fates.records:  # some were aggregated: what is in them may do
            events = decode_ride_events([record.payload for record in records])
        return self._decode_each(records, fates) if events is None else Rides(records, events)

    def _decode_each(self, records: Sequence[UserRecord], fates: Fates) -> Rides:
        valid: list[UserRecord] = []
        events: list[RideEvent] = []
        for record in records:
            try:
                events.append(decode_ride_event(record.payload))
            except Rejected as rejected:
                fates.rejected.append((record, rejected.reason, rejected.detail))
            else:
                valid.append(record)
        return Rides(valid, events)

    def _user_records(self, fates: Fates) -> Iterator[UserRecord]:
        for source in fates.records:
            try:
                yield from user_records(source)
            except Rejected as rejected:
                fates.rejected.append((source, rejected.reason, rejected.detail))

    def _predict(self, rides: Rides, fates: Fates, deadline: Deadline) -> None:
        if not rides.events:
            return
        if deadline.passed():
            fates.unfinished += [record.source for record in rides.records]
            return
        try:
            values = self._values(rides.events)
        except OUTAGES:
            raise  # the batch comes again, halved if the mapping bisects
        except Exception as error:
            logger.error("the model failed on %d rides: %s", len(rides.events), place_of(error))
            # The rides that can be predicted are to be sent, too, in the time there is.
            self._predict_one_by_one(rides, fates, deadline.halfway())
        else:
            self._take_values(rides, values, fates)

    def _predict_one_by_one(self, rides: Rides, fates: Fates, deadline: Deadline) -> None:
        """Find the rides that the model fails on; their neighbours are predicted."""
        failures: list[tuple[UserRecord, Reason, str]] = []
        last = ""
        tried = 0
        for record, event in zip(rides.records, rides.events, strict=True):
            if deadline.passed():
                break
            tried += 1
            try:
                values = self._values([event])
            except OUTAGES:
                raise
            except Exception as error:
                # In words: its traceback would keep the batch alive.
                failures.append((record, Reason.MODEL_ERROR, _said(error)))
                last = place_of(error)
            else:
                self._take_values(Rides([record], [event]), values, fates)
        if failures and len(failures) == tried and self._is_broken(rides.events[0].ride):
            # From none of them: their messages may hold rides, and whoever prints a traceback logs.
            raise ModelBroken(
                f"the model of version {self._model.version} failed on each of the "
                f"{tried} rides that it was tried on, last with {last}"
            ) from None
        fates.unfinished += [record.source for record in rides.records[tried:]]
        fates.rejected += failures

    def _is_broken(self, failed: Ride) -> bool:
        """Return whether it is the model that fails, and not this ride.

        It is if the last ride that it predicted fails, too, or if this ride no longer does.
        """
        return not self._model.predicts(self._last_predicted) or self._model.predicts(failed)

    def _values(self, events: Sequence[RideEvent]) -> Sequence[float]:
        return self._model.values([event.ride for event in events])

    def _take_values(self, rides: Rides, values: Sequence[float], fates: Fates) -> None:
        if isfinite(sum(values)):  # no float that is not leaves a sum that is
            fates.predict(rides, values)
            self._last_predicted = rides.events[-1].ride
            return
        for record, event, value in zip(rides.records, rides.events, values, strict=True):
            if isfinite(value):
                fates.predict(Rides([record], [event]), [value])
            else:
                detail = f"{self._model.field} is {value}; it must be finite"
                fates.rejected.append((record, Reason.NOT_FINITE, detail))

    def _entries(self, fates: Fates) -> list[Entry]:
        """Prediction events, as the stream takes them."""
        ride_ids = [event.ride_id for event in fates.events]
        positions = [record.position for record in fates.predicted]
        data = self._encoder.encode(fates.values, ride_ids, positions)
        return list(map(Entry, fates.predicted, map(str, ride_ids), data))

    def _store_rejections(self, fates: Fates, deadline: Deadline) -> list[SourceRecord]:
        name, version = self._model.name, self._model.version
        return store_rejections(
            fates.rejected, fates.records, self._rejections, deadline, model=name, version=version
        )

    def _answer(self, entries: Sequence[Entry], unfinished: list[SourceRecord]) -> Response:
        answer: Response = {"batchItemFailures": item_failures(unfinished)}
        if self._return_predictions:
            answer["predictions"] = [msgspec.json.decode(entry.data) for entry in entries]
        return answer

    def _log(self, fates: Fates, unfinished: list[SourceRecord]) -> None:
        # Payloads stay out of the log: rides are people's movements.
        if fates.rejected:
            for reason, count in Counter(reason for _, reason, _ in fates.rejected).items():
                logger.warning("rejected %d records: %s", count, reason)
        fields = {
            "model": self._model.name,
            "first": fates.records[0].position if fates.records else "nowhere",
            "records": len(fates.records),
            "predicted": len(fates.predicted),
            "rejected": len(fates.rejected),
            "unfinished": len({record.sequence_number for record in unfinished}),
        }
        log_fields(
            logger,
            "%(records)d records from %(first)s: %(predicted)d rides predicted, "
            "%(rejected)d rejected; %(unfinished)d records come again",
            fields,
        )


def _said(error: Exception) -> str:
    """What a model raised, in one line of at most 300 characters."""
    (*_, line) = traceback.format_exception_only(error)
    return f"the model raised {' '.join(line.split())}"[:300]
