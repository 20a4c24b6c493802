"""A pytest fixture: the functions of a SAM template, fed from its streams as Lambda feeds them.

A test module with `pytest_plugins = ["event_source_mapping.pytest_plugin"]` has it;
docs/event-source-mapping.md shows one.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from event_source_mapping.emulator import Emulator
from event_source_mapping.local_stack import Stack
from event_source_mapping.memory_kinesis import MemoryKinesis
from event_source_mapping.stream_reader import StreamReader

POLL_SECONDS = 0.02


class LocalStack:
    """A template's streams, buckets and functions while a test runs; names are physical ones.

    Attributes:
        client: Gives a boto3 client of a service, which is the emulator's.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.client = stack.emulator.client

    def put(self, stream: str, *payloads: bytes, key: str = "key") -> list[str]:
        """Put records of one partition key; answers with their sequence numbers."""
        answer = self.client("kinesis").put_records(
            StreamName=stream,
            Records=[{"Data": payload, "PartitionKey": key} for payload in payloads],
        )
        return [result["SequenceNumber"] for result in answer["Records"]]

    def wait_for_records(self, stream: str, count: int, seconds: float = 30) -> list[bytes]:
        """The payloads on a stream, each shard's in order, as soon as there are so many.

        Raises:
            TimeoutError: There are fewer after so many seconds.
        """
        reader, found = StreamReader(self.client("kinesis"), stream), list[bytes]()

        def read() -> list[bytes]:
            found.extend(record.data for record in reader.read())
            return found

        return _wait(read, count, seconds, f"records on {stream}")

    def wait_for_objects(self, bucket: str, count: int, seconds: float = 30) -> list[bytes]:
        """The bodies of a bucket's objects, by key, as soon as there are so many.

        Raises:
            TimeoutError: There are fewer after so many seconds.
        """
        s3 = self.client("s3")

        def read() -> list[bytes]:
            entries = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            return [s3.get_object(Bucket=bucket, Key=e["Key"])["Body"].read() for e in entries]

        return _wait(read, count, seconds, f"objects in {bucket}")

    def stop(self) -> None:
        """End the feeding before the test ends, once the invocations under way have ended."""
        self._stack.__exit__()


class StartStack:
    """Starts the functions of SAM templates, on one emulator.

    Args:
        emulator: Where resources are.
        running: What is stopped at the end of the test.
        monkeypatch: Of that test.
    """

    def __init__(
        self, emulator: Emulator, running: ExitStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._emulator, self._running, self._monkeypatch = emulator, running, monkeypatch

    def __call__(
        self, path: Path, parameters: Mapping[str, str] | None = None, *, in_memory: bool = False
    ) -> LocalStack:
        """Create what a template declares, and begin to feed its functions.

        Args:
            path: The SAM template; handlers lie in its folder.
            parameters: Values of its parameters; those with a default may be left out.
            in_memory: Keep the streams in this process, which is faster: `boto3.client("kinesis")`
                is then `memory_kinesis.MemoryKinesis`. Otherwise they are the emulator's.

        Raises:
            TemplateError: The template cannot be run locally.
        """
        if in_memory:
            self._monkeypatch.setattr(boto3, "client", _with_streams(_Streams()))
        return LocalStack(
            self._running.enter_context(Stack(self._emulator, parameters or {}, path))
        )


@pytest.fixture
def local_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartStack]:
    """Starts stacks of SAM templates on an emulator of AWS that is empty, and stops them."""
    with ExitStack() as running:
        emulator = running.enter_context(Emulator())
        # No client of the test or of a function made late can reach the user's AWS account.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        # boto3's own session may have read ~/.aws before.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        yield StartStack(emulator, running, monkeypatch)


class _Streams(MemoryKinesis):
    """Streams that are there as soon as they are created."""

    def get_waiter(self, _: str) -> "_Streams":
        return self

    def wait(self, **_: Any) -> None:
        return


def _with_streams(streams: MemoryKinesis) -> Callable[..., Any]:
    real = boto3.client
    return lambda service, *args, **options: (
        streams if service == "kinesis" else real(service, *args, **options)
    )


def _wait(read: Callable[[], list[bytes]], count: int, seconds: float, what: str) -> list[bytes]:
    ends = time.monotonic() + seconds
    while len(found := read()) < count:
        if time.monotonic() > ends:
            raise TimeoutError(f"{len(found)} of {count} {what} after {seconds} seconds")
        time.sleep(POLL_SECONDS)
    return found
