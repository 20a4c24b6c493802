"""The scoring function: rows of trips -> scored rows, as columns; for one machine and for Spark."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from batch.ride_columns import Rides, rides_of, why_rejected
from model_service.models.loading import Model
from model_service.models.model_errors import ModelBroken
from model_service.records.features import zone_features
from model_service.records.ride_events import SAMPLE
from streams.errors import OUTAGES, Reason, brief
from tlc.trip_values import ride_minutes

# One row for each row of the input, in its order.
SCORED = pa.schema(
    [
        ("ride_id", pa.string()),
        ("pickup_time", pa.timestamp("us")),
        ("pickup_zone", pa.int64()),
        ("dropoff_zone", pa.int64()),
        ("distance_miles", pa.float64()),
        # Null where the row is rejected.
        ("predicted_minutes", pa.float64()),
        # Null where the file has no pickup or no dropoff time.
        ("actual_minutes", pa.float64()),
        # Predicted less actual.
        ("difference_minutes", pa.float64()),
        # Reason and detail, as in the stream's rejections; null where the row is predicted.
        ("rejected", pa.string()),
        ("rejected_detail", pa.string()),
        ("model_version", pa.string()),
    ]
)

_MAX_DETAIL_CHARACTERS = 500


class Scorer:
    """Scores chunks of trips.

    Args:
        model: Predicts minutes, and names its version.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._has_predicted = False

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def version(self) -> str:
        """The model's version."""
        return self._model.version

    def score(self, chunk: pa.RecordBatch, ride_prefix: str) -> pa.RecordBatch:
        """Score some rows of one file.

        Args:
            chunk: The columns `row` (its number in the file, from 0), `pickup`, `dropoff`, `start`,
                `end` and `miles`; all but the first of TLC's types (`tlc.columns`).
            ride_prefix: What ride IDs begin with; the row's number follows.

        Returns:
            As many rows of `SCORED`, in the same order.

        Raises:
            ModelBroken: The model has predicted nothing yet, and fails on a plausible ride as on
                every ride of the chunk.
        """
        rides = rides_of(chunk)
        minutes = np.full(len(chunk), np.nan)
        fates = _Fates(len(chunk))
        for row in np.flatnonzero(~rides.valid).tolist():
            fates.reject(row, *why_rejected(chunk, rides, row))
        self._predict(rides, np.flatnonzero(rides.valid), minutes, fates)
        return _scored(chunk, ride_prefix, rides, minutes, fates, self.version)

    def _predict(
        self, rides: Rides, places: NDArray[np.intp], minutes: NDArray[np.float64], fates: "_Fates"
    ) -> None:
        """Fill in the minutes of the rides at some places."""
        failures: list[tuple[int, str]] = []
        for part, values in self._parts(rides, places, failures):
            minutes[part] = values
            for row in part[~np.isfinite(minutes[part])].tolist():
                detail = f"{self._model.field} is {minutes[row]}; it must be finite"
                fates.reject(row, Reason.NOT_FINITE, detail)
        self._has_predicted |= len(failures) < len(places)
        if failures and not (self._has_predicted or self._model.predicts(SAMPLE)):
            raise ModelBroken(
                f"the model of version {self.version} failed on each of the first {len(places)} "
                f"rides, last with a {failures[-1][1].partition(':')[0]}"
            ) from None  # its message may hold a ride, and rides are not logged
        for row, said in failures:
            fates.reject(row, Reason.MODEL_ERROR, f"the model raised {said}")

    def _parts(
        self, rides: Rides, places: NDArray[np.intp], failures: list[tuple[int, str]]
    ) -> Iterator[tuple[NDArray[np.intp], Sequence[float]]]:
        """Predictions; what the model fails on is halved, until the rides alone are left."""
        if not len(places):
            return
        try:
            values = self._values(rides, places)
        except OUTAGES:
            raise
        except Exception as error:
            if len(places) == 1:
                # In words: its traceback would keep the chunk alive.
                failures.append((int(places[0]), _said(error)))
                return
            for half in np.array_split(places, 2):
                yield from self._parts(rides, half, failures)
        else:
            yield places, values

    def _values(self, rides: Rides, places: NDArray[np.intp]) -> Sequence[float]:
        features = zone_features(
            rides.pickups[places].tolist(), rides.dropoffs[places].tolist(), rides.miles[places]
        )
        return self._model.values_of(features, len(places))


class _Fates:
    """Why rows are rejected; most are not."""

    def __init__(self, rows: int) -> None:
        self.reasons: list[str | None] = [None] * rows
        self.details: list[str | None] = [None] * rows

    def reject(self, row: int, reason: Reason, detail: str) -> None:
        self.reasons[row], self.details[row] = reason.value, detail


def _scored(
    chunk: pa.RecordBatch,
    ride_prefix: str,
    rides: Rides,
    minutes: NDArray[np.float64],
    fates: _Fates,
    version: str,
) -> pa.RecordBatch:
    predicted = pa.array(minutes, mask=~np.isfinite(minutes))
    took = ride_minutes(chunk["pickup"], chunk["dropoff"])
    actual = pa.array(took, mask=np.isnan(took))
    columns = {
        "ride_id": pc.binary_join_element_wise(ride_prefix, chunk["row"].cast(pa.string()), ""),
        "pickup_time": chunk["pickup"].cast(pa.timestamp("us"), safe=False),
        "pickup_zone": pa.array(rides.pickups, mask=~rides.has_pickup),
        "dropoff_zone": pa.array(rides.dropoffs, mask=~rides.has_dropoff),
        "distance_miles": chunk["miles"].cast(pa.float64(), safe=False),
        "predicted_minutes": predicted,
        "actual_minutes": actual,
        "difference_minutes": pc.subtract(predicted, actual),
        "rejected": pa.array(fates.reasons, pa.string()),
        "rejected_detail": pa.array(fates.details, pa.string()),
        "model_version": pa.repeat(version, len(chunk)),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=SCORED)


def _said(error: Exception) -> str:
    return brief(" ".join(f"{type(error).__name__}: {error}".split()), _MAX_DETAIL_CHARACTERS)
