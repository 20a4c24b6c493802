"""A batch of source records in; predictions, rejections and failed items out."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NotRequired

import msgspec
from msgspec import Struct

from model_service.models.loading import Model
from model_service.models.model_errors import ModelBroken
from model_service.records.prediction_events import PredictionEncoder
from model_service.records.ride_events import (
    SAMPLE,
    Ride,
    RideEvent,
    decode_ride_event,
    decode_ride_events,
)
from streams.deadline import Deadline
from streams.errors import OUTAGES, Reason, Rejected, place_of
from streams.logs import log_fields
from streams.outcome import Outcome
from streams.records import BatchResponse, UserRecord
from streams.rejections import RejectionSink
from streams.writer import Entry, Writer

logger = logging.getLogger(__name__)


class Response(BatchResponse):
    """A partial batch response, and the predictions if they are to be returned."""

    predictions: NotRequired[list[Any]]


class Rides(Struct, frozen=True):
    """Valid ride events, and the user records that hold them, place for place."""

    records: Sequence[UserRecord]
    events: Sequence[RideEvent]


class RideOutcome(Outcome):
    """The outcome of an invocation, with the rides that were predicted.

    Attributes:
        predicted: User records whose ride was predicted.
        events: The ride event of each.
        values: The prediction of each.
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        super().__init__(event)
        self.predicted: list[UserRecord] = []
        self.events: list[RideEvent] = []
        self.values: list[float] = []

    def add_predictions(self, rides: Rides, values: Sequence[float]) -> None:
        """Note the prediction of each ride."""
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
        predictions: Writer[UserRecord],
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
        outcome = RideOutcome(event)
        self._predict(self._decode(outcome), outcome, deadline)
        # Rejections first: they are one call, and the predictions may take all the time there is.
        name, version = self._model.name, self._model.version
        outcome.store_rejections(self._rejections, deadline, model=name, version=version)
        entries = self._entries(outcome)
        unsent = self._predictions.put(entries, deadline)
        outcome.unfinished += [entry.token.source for entry in unsent]
        self._log(outcome)
        return self._response(entries, outcome)

    def _decode(self, outcome: RideOutcome) -> Rides:
        # Their payloads, but for the property, which takes longer than it saves here.
        events = decode_ride_events([record.kinesis.data for record in outcome.records])
        if events is not None:
            return Rides(outcome.records, events)
        records = list(outcome.user_records())
        if records != outcome.records:  # some were aggregated: what is in them may do
            events = decode_ride_events([record.payload for record in records])
        return self._decode_each(records, outcome) if events is None else Rides(records, events)

    def _decode_each(self, records: Sequence[UserRecord], outcome: RideOutcome) -> Rides:
        valid: list[UserRecord] = []
        events: list[RideEvent] = []
        for record in records:
            try:
                events.append(decode_ride_event(record.payload))
            except Rejected as rejected:
                outcome.reject(record, rejected.reason, rejected.detail)
            else:
                valid.append(record)
        return Rides(valid, events)

    def _predict(self, rides: Rides, outcome: RideOutcome, deadline: Deadline) -> None:
        if not rides.events:
            return
        if deadline.passed():
            outcome.unfinished += [record.source for record in rides.records]
            return
        try:
            values = self._values(rides.events)
        except OUTAGES:
            raise  # the batch comes again, halved if the mapping bisects
        except Exception as error:
            logger.error("the model failed on %d rides: %s", len(rides.events), place_of(error))
            # The rides that can be predicted are to be sent, too, in the time there is.
            self._predict_one_by_one(rides, outcome, deadline.halfway())
        else:
            self._take_values(rides, values, outcome)

    def _predict_one_by_one(self, rides: Rides, outcome: RideOutcome, deadline: Deadline) -> None:
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
                self._take_values(Rides([record], [event]), values, outcome)
        if failures and len(failures) == tried and self._is_broken(rides.events[0].ride):
            # From none of them: their messages may hold rides, and whoever prints a traceback logs.
            raise ModelBroken(
                f"the model of version {self._model.version} failed on each of the "
                f"{tried} rides that it was tried on, last with {last}"
            ) from None
        outcome.unfinished += [record.source for record in rides.records[tried:]]
        outcome.rejected += failures

    def _is_broken(self, failed: Ride) -> bool:
        """Return whether it is the model that fails, and not this ride.

        It is if the last ride that it predicted fails, too, or if this ride no longer does.
        """
        return not self._model.predicts(self._last_predicted) or self._model.predicts(failed)

    def _values(self, events: Sequence[RideEvent]) -> Sequence[float]:
        return self._model.values([event.ride for event in events])

    def _take_values(self, rides: Rides, values: Sequence[float], outcome: RideOutcome) -> None:
        if isfinite(sum(values)):  # no float that is not leaves a sum that is
            outcome.add_predictions(rides, values)
            self._last_predicted = rides.events[-1].ride
            return
        for record, event, value in zip(rides.records, rides.events, values, strict=True):
            if isfinite(value):
                outcome.add_predictions(Rides([record], [event]), [value])
            else:
                detail = f"{self._model.field} is {value}; it must be finite"
                outcome.reject(record, Reason.NOT_FINITE, detail)

    def _entries(self, outcome: RideOutcome) -> list[Entry[UserRecord]]:
        """Return a prediction event for each predicted ride."""
        ride_ids = [event.ride_id for event in outcome.events]
        positions = [record.position for record in outcome.predicted]
        data = self._encoder.encode(outcome.values, ride_ids, positions)
        # Rides of one aggregated record go together: it is redelivered whole, and must not need a
        # call for each of its rides.
        orders = [record.source.sequence_number for record in outcome.predicted]
        return list(map(Entry, outcome.predicted, map(str, ride_ids), data, orders))

    def _response(self, entries: Sequence[Entry[UserRecord]], outcome: Outcome) -> Response:
        response: Response = {"batchItemFailures": outcome.response()["batchItemFailures"]}
        if self._return_predictions:
            response["predictions"] = [msgspec.json.decode(entry.data) for entry in entries]
        return response

    def _log(self, outcome: RideOutcome) -> None:
        # Payloads stay out of the log: rides are people's movements.
        outcome.log_rejections(logger)
        fields = {
            "model": self._model.name,
            "first": outcome.records[0].position if outcome.records else "nowhere",
            "records": len(outcome.records),
            "predicted": len(outcome.predicted),
            "rejected": len(outcome.rejected),
            "unfinished": outcome.unfinished_records,
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
