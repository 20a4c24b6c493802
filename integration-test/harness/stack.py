"""A deployed stack: put rides, read what comes of them."""

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from event_source_mapping.stream_reader import StreamReader
from harness.cloud import Cloud
from harness.commands import run
from harness.rides import Put
from tests.polling import until

# API reference, GetRecords: at most five calls a second and shard.
POLL_SECONDS = 0.3
# A batch that fails comes again within a second or two.
QUIET_SECONDS = 5.0


class Stack:
    """What `sam deploy` made.

    Args:
        cloud: Where it is.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._kinesis = cloud.client("kinesis")
        self._s3 = cloud.client("s3")
        self._events: list[dict[str, Any]] = []
        self._decisions: list[dict[str, Any]] = []

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        (stack,) = self.cloud.client("cloudformation").describe_stacks(
            StackName=self.cloud.stack_name
        )["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def run(self, output: str) -> str:
        """Run the command that an output gives the user, in the project's folder, by a shell."""
        # As in a shell of the user's, which no make has started.
        shell = {name: v for name, v in self.cloud.environ.items() if not name.startswith("MAKE")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{shell['PATH']}"
        return run("sh", "-ec", self.outputs[output], environ={**shell, "PATH": path})

    def put(self, records: Sequence[tuple[str, bytes]]) -> list[Put]:
        """Put records of partition key and data onto the input stream, each until it is taken."""
        puts: dict[int, Put] = {}

        def send() -> bool:
            left = [place for place in range(len(records)) if place not in puts]
            answer = self._kinesis.put_records(
                StreamName=self.outputs["InputStream"],
                Records=[
                    {"PartitionKey": key, "Data": data}
                    for key, data in (records[place] for place in left)
                ],
            )
            for place, result in zip(left, answer["Records"], strict=True):
                if result.get("SequenceNumber"):
                    puts[place] = Put(result["ShardId"], result["SequenceNumber"])
            return len(puts) == len(records)

        until(send, self.cloud.patience_seconds, POLL_SECONDS)
        return [puts[place] for place in range(len(records))]

    def predictions(self, model: str, ride_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Wait for a model's prediction of each ride; answer with all there are, by ride.

        Raises:
            AssertionError: A ride has none in time.
        """

        def read() -> list[dict[str, Any]]:
            self._events += self._read()
            return [event for event in self._events if event["model"] == model]

        return self._wait(
            read, lambda event: event["prediction"]["ride_id"], ride_ids, "prediction"
        )

    def decisions(self, ride_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Wait for the decision on each ride; answer with all there are, by ride.

        Raises:
            AssertionError: A ride has none in time.
        """

        def read() -> list[dict[str, Any]]:
            for record in self._decided.read():
                event = json.loads(record.data)
                assert record.partition_key == str(event["decision"]["ride_id"])
                self._decisions.append(event)
            return self._decisions

        return self._wait(read, lambda event: event["decision"]["ride_id"], ride_ids, "decision")

    def put_prediction(self, event: Mapping[str, Any]) -> None:
        """Put a prediction event onto the stream of predictions, as a predictor would."""
        self._kinesis.put_record(
            StreamName=self.outputs["PredictionsStream"],
            PartitionKey=str(event["prediction"]["ride_id"]),
            Data=json.dumps(event).encode(),
        )

    def rejections(self, model: str, puts: Sequence[Put]) -> list[dict[str, Any]]:
        """Wait for a model's rejection of each record; answer with all there are, by record.

        Raises:
            AssertionError: A record has none in time.
        """

        def position(rejection: dict[str, Any]) -> str:
            return str(rejection["source"]["sequence_number"])

        def read() -> list[dict[str, Any]]:
            return [each for each in self._rejections() if each["model"] == model]

        numbers = [put.sequence_number for put in puts]
        return self._wait(read, position, numbers, "rejection")

    @contextmanager
    def failures_bucket_gone(self) -> Iterator[None]:
        """Take the failures bucket away, with all that is in it, for a while."""
        bucket = self.outputs["FailuresBucket"]
        for key in self._keys():
            self._s3.delete_object(Bucket=bucket, Key=key)
        # boto3 repeats a call whose answer was lost, and the first one may have deleted the bucket.
        with suppress(self._s3.exceptions.NoSuchBucket):
            self._s3.delete_bucket(Bucket=bucket)
        try:
            yield
        finally:
            self._s3.create_bucket(Bucket=bucket)

    def duplicates(self, excused: Collection[int]) -> list[str]:
        """Wait until nothing comes any more; answer with the IDs of events that came twice.

        Args:
            excused: IDs of rides whose batches came again on purpose.
        """
        quiet_since = time.monotonic()

        def quiet() -> bool:
            nonlocal quiet_since
            more = list(self._read())
            self._events += more
            quiet_since = time.monotonic() if more else quiet_since
            return time.monotonic() > quiet_since + QUIET_SECONDS

        until(quiet, self.cloud.patience_seconds, POLL_SECONDS)
        events = (e for e in self._events if e["prediction"]["ride_id"] not in excused)
        times = Counter(event["event_id"] for event in events)
        return [event_id for event_id, count in times.items() if count > 1]

    def come_again(self) -> int:
        """How many records the functions have reported as failed, as they logged."""
        batches = [line for line in self._log() if line.get("logger") == "model_service.service"]
        counts = [line["unfinished"] for line in batches if line["level"] == "INFO"]
        assert counts, "no function has logged a batch"
        return sum(counts)

    def refused_entries(self) -> int:
        """How many entries Kinesis refused, as the functions logged."""
        said = (
            re.match(r"PutRecords refused (\d+)", line.get("message", "")) for line in self._log()
        )
        return sum(int(match[1]) for match in said if match)

    @cached_property
    def _output(self) -> StreamReader:
        return StreamReader(self._kinesis, self.outputs["PredictionsStream"])

    @cached_property
    def _decided(self) -> StreamReader:
        return StreamReader(self._kinesis, self.outputs["DecisionsStream"])

    def _read(self) -> Iterator[dict[str, Any]]:
        for record in self._output.read():
            event = json.loads(record.data)
            assert record.partition_key == str(event["prediction"]["ride_id"])
            yield event

    def _rejections(self) -> Iterator[dict[str, Any]]:
        for key in self._keys():
            answer = self._s3.get_object(Bucket=self.outputs["FailuresBucket"], Key=key)
            yield from map(json.loads, answer["Body"].read().splitlines())

    def _keys(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.outputs["FailuresBucket"]
        )
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return [key for key in keys if key.startswith("rejected/")]

    def _log(self) -> Iterator[dict[str, Any]]:
        for function in ("DurationFunction", "TipFunction", "DecisionFunction"):
            for line in self.cloud.function_log(self.outputs[function]):
                if line.startswith("{"):
                    yield json.loads(line)

    def _wait(
        self,
        read: Callable[[], list[dict[str, Any]]],
        key: Callable[[dict[str, Any]], Any],
        wanted: Sequence[Any],
        what: str,
    ) -> list[dict[str, Any]]:
        """Read until there is something for each key; answer with all there is, by key."""
        found: list[dict[str, Any]] = []

        def missing() -> list[Any]:
            found[:] = [each for each in read() if key(each) in wanted]
            return sorted(set(wanted) - {key(each) for each in found})

        try:
            until(lambda: not missing(), self.cloud.patience_seconds, POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"no {what} of {missing()}; {self._last_error()}") from None
        return sorted(found, key=key)

    def _last_error(self) -> str:
        """What a function last failed with, for whoever looks for the cause."""
        errors = [line for line in self._log() if "errorType" in line]
        if not errors:
            return "no function has failed"
        return f"a function failed with {errors[-1]['errorType']}: {errors[-1]['errorMessage']}"
