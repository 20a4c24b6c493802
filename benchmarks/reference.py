"""The reference way: a record at a time, through mlflow.pyfunc and put_record.

It follows the MLOps Zoomcamp course (DataTalksClub, 06-best-practices): base64 and json, features
as a dict, one prediction and one put for each ride. With `batched`, it predicts a whole batch at
once and puts 500 events in a call.
"""

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Event = Mapping[str, Any]
Json = dict[str, Any]

STREAM = "ride_predictions"
MODEL_NAME = "ride_duration_prediction_model"
MAX_MILES = 40.0
CALL_ENTRIES = 500


def decode(record: Event) -> Json:
    """Decode the ride event in one record of a Kinesis event."""
    ride_event: Json = json.loads(base64.b64decode(record["kinesis"]["data"]).decode("utf-8"))
    return ride_event


def prepare_features(ride: Mapping[str, Any]) -> Json:
    """Return the features of one ride, as `model_service.records.features` computes them."""
    miles = min(float(ride["trip_distance"]), MAX_MILES)
    return {
        "PU_DO": f"{ride['PULocationID']}_{ride['DOLocationID']}",
        "PU": str(ride["PULocationID"]),
        "DO": str(ride["DOLocationID"]),
        "trip_distance": miles,
        "log_distance": math.log1p(miles),
        "no_distance": float(miles == 0),
    }


class PyfuncModel:
    """A model as mlflow.pyfunc loads it.

    Args:
        location: Its folder or `s3://` URI.
    """

    def __init__(self, location: str | Path) -> None:
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(str(location))
        estimator = self._model.get_raw_model()
        # A DictVectorizer needs dicts, everything else a table.
        self._takes_dicts = hasattr(estimator[0], "vocabulary_")
        # One thread, like the product; a pool would be slower still for one ride.
        jobs = [name for name in estimator.get_params() if name.endswith("n_jobs")]
        estimator.set_params(**dict.fromkeys(jobs, 1))

    def predict(self, rows: Sequence[Json]) -> list[float]:
        """Predict minutes, one value for each row."""
        data = rows if self._takes_dicts else _table(rows)
        return [float(value) for value in self._model.predict(data)]


def _table(rows: Sequence[Json]) -> Any:
    return np.array([list(row.values()) for row in rows], dtype=object)


class Reference:
    """Handles Kinesis events.

    Args:
        model: Predicts rows of features.
        version: The model's version, for prediction events.
        client: boto3's Kinesis client; None puts nothing.
        batched: Whether to predict and put in batches.
    """

    def __init__(
        self, model: PyfuncModel, version: str, client: Any = None, *, batched: bool = False
    ) -> None:
        self._model = model
        self._version = version
        self._client = client
        self._predict = self._predict_together if batched else self._predict_each
        self._put = self._put_together if batched else self._put_each

    def handle(self, event: Event) -> Json:
        """Predict the rides of an event, and put their predictions."""
        predictions = self._predict(event["Records"])
        return {
            "predictions": list(predictions if self._client is None else self._put(predictions))
        }

    def _predict_each(self, records: Iterable[Event]) -> Iterator[Json]:
        for record in records:
            ride_event = decode(record)
            (minutes,) = self._model.predict([prepare_features(ride_event["ride"])])
            yield self._event(minutes, ride_event["ride_id"])

    def _predict_together(self, records: Iterable[Event]) -> Iterator[Json]:
        ride_events = [decode(record) for record in records]
        values = self._model.predict([prepare_features(event["ride"]) for event in ride_events])
        for minutes, ride_event in zip(values, ride_events, strict=True):
            yield self._event(minutes, ride_event["ride_id"])

    def _event(self, minutes: float, ride_id: Any) -> Json:
        return {
            "model": MODEL_NAME,
            "version": self._version,
            "prediction": {"ride_duration": minutes, "ride_id": ride_id},
        }

    def _put_each(self, predictions: Iterable[Json]) -> Iterator[Json]:
        for prediction in predictions:
            self._client.put_record(StreamName=STREAM, **_entry(prediction))
            yield prediction

    def _put_together(self, predictions: Iterable[Json]) -> Iterator[Json]:
        waiting = list(predictions)
        for start in range(0, len(waiting), CALL_ENTRIES):
            entries = [_entry(prediction) for prediction in waiting[start : start + CALL_ENTRIES]]
            self._client.put_records(StreamName=STREAM, Records=entries)
        yield from waiting


def _entry(prediction: Json) -> Json:
    return {
        "Data": json.dumps(prediction),
        "PartitionKey": str(prediction["prediction"]["ride_id"]),
    }
