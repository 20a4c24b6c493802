"""A stream in memory, and replays of it."""

import io
import json
from typing import Any

from cli.terminal import Progress
from event_source_mapping.memory_kinesis import MemoryKinesis
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.records.features import Row
from ops.replay.replay import replay
from ops.replay.score import LinesFile, Scorer
from ops.replay.span import Bound, Span

STREAM = "rides"
EVERYTHING = Span(None, Bound(time=1e9))


def ride(ride_id: int, miles: object = 1.0) -> bytes:
    event = {"ride": {"PULocationID": 1, "DOLocationID": 2, "trip_distance": miles}}
    return json.dumps({**event, "ride_id": ride_id}).encode()


def ten_minutes_a_mile(features: Row) -> float:
    return 10.0 * float(features["trip_distance"])


class World:
    """A stream onto which a record comes each second, from second 1 on, and a model.

    Args:
        shards: How many the stream has.
        predict: The model.
        sink: Where predictions go; None is memory.

    Attributes:
        numbers: Sequence numbers of all records, in order.
        scorer: The scorer of the last replay.
    """

    def __init__(
        self, shards: int = 1, predict: Any = ten_minutes_a_mile, sink: Any = None
    ) -> None:
        self.time = 0.0
        self.kinesis: Any = MemoryKinesis(lambda: self.time)
        self.kinesis.create_stream(StreamName=STREAM, ShardCount=shards)
        self.numbers: list[str] = []
        self.model = Model("rides", "new", "ride_duration", FakePredictor(predict))
        self._sink = sink

    def put(self, *payloads: bytes, key: str = "a") -> None:
        for data in payloads:
            self.time += 1
            answer = self.kinesis.put_record(StreamName=STREAM, Data=data, PartitionKey=key)
            self.numbers.append(answer["SequenceNumber"])

    def replay(self, span: Span = EVERYTHING, only: str | None = None) -> list[Any]:
        """Replay into memory, and return the events."""
        file = io.BytesIO()
        self.scorer = Scorer(self.model, STREAM, self._sink or LinesFile(file))
        progress = Progress("p", io.StringIO())
        replay(
            self.kinesis,
            self.scorer,
            STREAM,
            span,
            only=only,
            progress=progress,
            pause=lambda _: None,
        )
        return [json.loads(line) for line in file.getvalue().splitlines()]
