"""Where the product's time goes: its stages one by one, and the handler as a whole.

The stages call what `Service.handle` calls, in its order, on the same batch. What the handler takes
beyond their sum is its bookkeeping: whose prediction is whose, what failed, the log line.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.events import kinesis_events
from benchmarks.reference import MODEL_NAME
from benchmarks.ways import VERSION, product
from model_service.models.predictors import load_predictor
from model_service.records.features import ride_features
from model_service.records.prediction_events import PredictionEncoder
from model_service.records.ride_events import RideEvent, decode_ride_event, decode_ride_events
from streams.records import source_records

ENVELOPE = "Lambda's envelope, base64"
DECODE = "ride events, decoded"
FEATURES = "features"
MODEL = "model"
ENCODE = "prediction events, encoded"
REST = "bookkeeping and log"
STAGES = (ENVELOPE, DECODE, FEATURES, MODEL, ENCODE, REST)


class Stages:
    """Times the stages of one model."""

    def __init__(self, model: Path) -> None:
        self._predictor = load_predictor(model, trusted=False)
        self._encoder = PredictionEncoder(MODEL_NAME, VERSION, "ride_duration")
        self._handle = product(model, None)

    def sample(self, event: Mapping[str, Any], calls: int) -> dict[str, float]:
        """Microseconds a ride of each stage, over so many calls.

        What the handler takes beyond its stages cannot be less than nothing, but for noise.
        """
        seconds: dict[str, float] = dict.fromkeys((*STAGES, "all"), 0.0)
        for _ in range(calls):
            for stage, took in self._call(event):
                seconds[stage] += took
        seconds[REST] = seconds["all"] - sum(seconds[stage] for stage in STAGES)
        rides = calls * len(event["Records"])
        return {stage: seconds[stage] / rides * 1e6 for stage in STAGES}

    def _call(self, event: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        took, _ = _timed(lambda: self._handle(event))
        yield "all", took
        took, sources = _timed(lambda: source_records(event))
        yield ENVELOPE, took
        took, events = _timed(lambda: _decoded([source.payload for source in sources]))
        yield DECODE, took
        took, features = _timed(lambda: ride_features([event.ride for event in events]))
        yield FEATURES, took
        took, values = _timed(lambda: self._predictor.predict(features))
        yield MODEL, took
        ride_ids = [event.ride_id for event in events]
        positions = [source.position for source in sources]
        took, _ = _timed(lambda: self._encoder.encode(values, ride_ids, positions))
        yield ENCODE, took


def _decoded(payloads: Sequence[bytes]) -> Sequence[RideEvent]:
    events = decode_ride_events(payloads)
    return list(map(decode_ride_event, payloads)) if events is None else events


def _timed[Made](make: Callable[[], Made]) -> tuple[float, Made]:
    start = time.perf_counter()
    made = make()
    return time.perf_counter() - start, made


def main() -> None:
    """Print a line of JSON for each sample: the batch, and microseconds a ride by stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("rides", type=Path)
    parser.add_argument("samples", type=int)
    parser.add_argument("batches", type=int, nargs="+")
    options = parser.parse_args()
    stages = Stages(options.model)
    for batch in options.batches:
        (event, *_) = kinesis_events(options.rides, batch)
        stages.sample(event, 1)
        for _ in range(options.samples):
            by_stage = stages.sample(event, max(5, 2_000 // batch))
            print(msgspec.json.encode((batch, by_stage)).decode(), flush=True)


if __name__ == "__main__":
    main()
