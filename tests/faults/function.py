"""The function, in environments that are killed, run out of time and out of memory."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from event_source_mapping.function import FunctionFailed
from event_source_mapping.memory_kinesis import MemoryKinesis
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.records.features import Row
from model_service.service import Service
from streams.deadline import Deadline
from streams.fakes import FakeS3
from streams.packed_writer import PackedWriter
from streams.rejections import RejectionStore
from streams.writer import StreamWriter
from tests.faults.chaos import Chaos, Clock, FaultyOutput, FaultyStore, Killed, Tally

NAME, VERSION, FIELD = "ride_duration_prediction_model", "Test123", "ride_duration"
OUTPUT = "ride_predictions"
TIMEOUT_SECONDS = 60.0
# A ride from this zone kills its environment, whenever it is predicted.
DEADLY_ZONE = 666


def minutes(miles: float, pickup: int) -> float:
    """What the model here says of a ride."""
    return 2.0 + 3.5 * min(miles, 40.0) + pickup / 1000


class FragileFunction:
    """Builds the service anew for each invocation, with its own faults.

    Args:
        kinesis: Has the output stream.
        s3: Has the failures bucket.
        seed: Of the run.
        rate: Probability of each fault; a batch that failed is struck less and less.
        struck: Counts the faults, by kind.
        kinds: Which faults can strike; none means all.
        packed: Whether predictions are put many in a record.

    Attributes:
        invocations: How many there were.
        slowest_recovery: Seconds from the first failure of a batch to its success.
        most_attempts: Of one batch.
        deliveries: How often it got each record, by event ID of Lambda's.
        put_again: How often it could not know whether a prediction was put, by event ID of its own.
        unexplained: Records that it got again though they were done, a line each.
    """

    def __init__(
        self,
        kinesis: MemoryKinesis,
        s3: FakeS3,
        seed: int,
        rate: float,
        struck: Tally,
        kinds: Sequence[str] = (),
        *,
        packed: bool = False,
    ) -> None:
        self._kinesis = kinesis
        self._packed = packed
        self._s3 = s3
        self._seed = seed
        self._rate = rate
        self._struck = struck
        self._kinds = kinds
        self._lock = threading.Lock()
        self._attempts: Counter[str] = Counter()
        self._failed_at: dict[str, float] = {}
        self.invocations = 0
        self.slowest_recovery = 0.0
        self.most_attempts = 0
        self.deliveries: Counter[str] = Counter()
        self.put_again = Tally()
        self.unexplained: list[str] = []
        self._done: set[str] = set()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """Hand an event to the function; answer with its answer.

        Raises:
            FunctionFailed: The environment was killed, or the function raised or timed out.
        """
        records = [record["eventID"] for record in event["Records"]]
        first = records[0]
        attempt = self._begin(records)
        rate = self._rate * 0.8**attempt
        chaos = Chaos(f"{self._seed} {first} {attempt}", rate, self._struck, self._kinds)
        try:
            answer = self._run(msgspec.json.encode(event), chaos)
        except (Exception, Killed) as error:
            self._failed_at.setdefault(first, time.monotonic())
            raise FunctionFailed(f"{type(error).__name__}: {error}") from error
        if answer["batchItemFailures"]:
            (failure,) = answer["batchItemFailures"]
            rest = f"{first.partition(':')[0]}:{failure['itemIdentifier']}"
            self._failed_at.setdefault(rest, time.monotonic())
            self._end(records[: records.index(rest)])
        else:
            self._recovered(first)
            self._end(records)
        return answer

    def _run(self, event: bytes, chaos: Chaos) -> Any:
        clock = Clock()
        output = FaultyOutput(self._kinesis, chaos, clock, self.put_again)
        stream = StreamWriter(output, OUTPUT, sleep=clock.pass_by)
        service = Service(
            model=Model(NAME, VERSION, FIELD, FakePredictor(self._predict(chaos))),
            predictions=PackedWriter(stream) if self._packed else stream,
            rejections=RejectionStore(FaultyStore(self._s3, chaos, clock), "bucket", NAME, VERSION),
            return_predictions=False,
        )
        little = chaos.strikes("function: little time")
        timeout = chaos.random.uniform(0.1, 5) if little else TIMEOUT_SECONDS
        answer = service.handle(msgspec.json.decode(event), Deadline(timeout, clock=clock))
        if chaos.strikes("function: killed before it answers"):
            raise Killed
        if clock.now > timeout:
            self._struck.add("function: timed out")
            raise Killed(f"Task timed out after {timeout:.2f} seconds")
        return msgspec.json.decode(msgspec.json.encode(answer))

    def _predict(self, chaos: Chaos) -> Any:
        out_of_memory = chaos.strikes("function: out of memory")

        def predict(features: Row) -> float:
            if out_of_memory:
                raise MemoryError
            if features["PU"] == str(DEADLY_ZONE):
                raise Killed
            return minutes(float(features["trip_distance"]), int(features["PU"]))

        return predict

    def _begin(self, records: Sequence[str]) -> int:
        first = records[0]
        with self._lock:
            self.deliveries.update(records)
            self.unexplained += [f"{r}: came again, and was done" for r in self._done & {*records}]
            self.invocations += 1
            self._attempts[first] += 1
            self.most_attempts = max(self.most_attempts, self._attempts[first])
            return self._attempts[first] - 1

    def _end(self, done: Sequence[str]) -> None:
        with self._lock:
            self._done.update(done)

    def _recovered(self, first: str) -> None:
        failed_at = self._failed_at.pop(first, None)
        if failed_at is not None:
            seconds = time.monotonic() - failed_at
            with self._lock:
                self.slowest_recovery = max(self.slowest_recovery, seconds)
