"""The reference way: a record at a time, through mlflow.pyfunc and put_record; and steps from it.

Written after the way of the MLOps Zoomcamp course (DataTalksClub, 06-best-practices): base64 and
json, features as a dict, one prediction and one put a ride. Predicting and putting can each be done
by the batch instead, which gives the steps between that and the product.
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
    """The ride event in one record of a Kinesis event."""
    ride_event: Json = json.loads(base64.b64decode(record["kinesis"]["data"]).decode("utf-8"))
    return ride_event


def prepare_features(ride: Mapping[str, Any]) -> Json:
    """The features of one ride: those of `model_service.records.features`, one dict a ride."""
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
        # A DictVectorizer takes dicts, everything else a table.
        self._takes_dicts = hasattr(estimator[0], "vocabulary_")
        # One thread, as the product has: a pool for one ride is slower yet.
        jobs = [name for name in estimator.get_params() if name.endswith("n_jobs")]
        estimator.set_params(**dict.fromkeys(jobs, 1))

    def predict(self, rows: Sequence[Json]) -> list[float]:
        """Minutes, a value a row."""
        data = rows if self._takes_dicts else _table(rows)
        return [float(value) for value in self._model.predict(data)]


def _table(rows: Sequence[Json]) -> Any:
    return np.array([list(row.values()) for row in rows], dtype=object)


class Reference:
    """Takes Kinesis events.

    Args:
        model: Predicts rows of features.
        version: The model's, for prediction events.
        client: boto3's Kinesis client; None puts nothing.
        predicts_batches: Whether all rides of an event are predicted in one call.
        puts_batches: Whether predictions are put 500 at a time.
    """

    def __init__(
        self,
        model: PyfuncModel,
        version: str,
        client: Any = None,
        *,
        predicts_batches: bool = False,
        puts_batches: bool = False,
    ) -> None:
        self._model = model
        self._version = version
        self._client = client
        self._predict = self._predict_together if predicts_batches else self._predict_each
        self._put = self._put_together if puts_batches else self._put_each

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
