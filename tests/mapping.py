"""Helpers of tests that feed a fake function by a mapping."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from event_source_mapping.batches import GivenUp
from event_source_mapping.checkpoints import MemoryCheckpoints
from event_source_mapping.clients import SourceClient
from event_source_mapping.destination import Destination, NoDestination
from event_source_mapping.function import FunctionFailed, Invoker
from event_source_mapping.lambda_records import SourceShard
from event_source_mapping.mapping import EventSourceMapping
from event_source_mapping.mapping_settings import MappingSettings, Timings
from event_source_mapping.memory_kinesis import MemoryKinesis
from streams.writer import KinesisWriter
from tests.polling import until

STREAM = "ride_events"
# Short waits, so that no test is slow.
QUICK = Timings(
    discovery_seconds=0.01, idle_seconds=0.01, backoff_seconds=0.001, max_backoff_seconds=0.01
)
# Goes to the last shard of a stream of 1,001 shards.
KEY_OF_LAST_SHARD = "key-401"


class FakeFunction:
    """A function that notes the payloads it is invoked with."""

    def __init__(self, answer: Callable[[list[bytes]], Any] = lambda _: None) -> None:
        self._answer = answer
        self.batches: list[list[bytes]] = []

    def invoke(self, event: Mapping[str, Any]) -> Any:
        payloads = [base64.b64decode(r["kinesis"]["data"]) for r in event["Records"]]
        self.batches.append(payloads)
        return self._answer(payloads)

    @property
    def seen(self) -> list[bytes]:
        return [payload for batch in self.batches for payload in batch]


def fails_with(*poison: bytes) -> Callable[[list[bytes]], None]:
    """Fail every batch that holds one of these payloads."""

    def answer(payloads: list[bytes]) -> None:
        if set(poison) & set(payloads):
            raise FunctionFailed("poison")

    return answer


class FakeDestination:
    """A destination that fails some times and then keeps the documents."""

    def __init__(self, failures: int = 0) -> None:
        self._failures = failures
        self.given_up: list[GivenUp] = []

    def put(self, given_up: GivenUp, shard: SourceShard) -> None:
        if self._failures:
            self._failures -= 1
            raise ConnectionError("down")
        self.given_up.append(given_up)

    @property
    def payloads(self) -> list[list[bytes]]:
        """The payloads of each document."""
        return [[record.data for record in one.batch.records] for one in self.given_up]


class CountingKinesis:
    """A Kinesis client that counts its reads and the bytes that they give, and may fail one."""

    def __init__(self, kinesis: Any, fails: Callable[[int], bool] = lambda _: False) -> None:
        self._kinesis, self._fails = kinesis, fails
        self.reads = 0
        self.bytes = 0

    def get_records(self, **request: Any) -> Any:
        self.reads += 1
        if self._fails(self.reads):
            raise ConnectionError("reset")
        answer = self._kinesis.get_records(**request)
        self.bytes += sum(len(record["Data"]) for record in answer["Records"])
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kinesis, name)


def put(kinesis: KinesisWriter, *payloads: bytes, key: str = "key") -> list[str]:
    answer = kinesis.put_records(
        StreamName=STREAM, Records=[{"Data": data, "PartitionKey": key} for data in payloads]
    )
    return [result["SequenceNumber"] for result in answer["Records"]]


class NotingCheckpoints(MemoryCheckpoints):
    """Checkpoints that can be asked for all at once."""

    def values(self) -> list[str]:
        return list(self._checkpoints.values())


@contextmanager
def polling(
    kinesis: SourceClient,
    function: Invoker,
    destination: Destination | None = None,
    checkpoints: Any = None,
    now: Callable[[], float] = time.time,
    **changes: Any,
) -> Iterator[NotingCheckpoints]:
    usual = {"stream": STREAM, "starting_position": "TRIM_HORIZON", "poll_seconds": 0.02}
    settings = MappingSettings("Rides", timings=QUICK, **{**usual, **changes})
    kept = NotingCheckpoints() if checkpoints is None else checkpoints
    feed = EventSourceMapping(
        kinesis, function, settings, destination or NoDestination(), kept, now
    )
    feed.start()
    try:
        yield kept
    finally:
        feed.stop()


def poll_to(
    last: str, kinesis: SourceClient, function: Invoker, *more: Any, **changes: Any
) -> None:
    """Poll until a checkpoint reaches this record, with the arguments of `polling`."""
    with polling(kinesis, function, *more, **changes) as checkpoints:
        until(lambda: last in checkpoints.values())


def split_shards(kinesis: MemoryKinesis) -> list[str]:
    """Split each open shard in the middle of its hash keys, and return the IDs of the parents."""
    shards = kinesis.list_shards(StreamName=STREAM)["Shards"]
    parents = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    for parent in parents:
        keys = parent["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
        kinesis.split_shard(
            StreamName=STREAM, ShardToSplit=parent["ShardId"], NewStartingHashKey=str(middle)
        )
    return [parent["ShardId"] for parent in parents]
