"""A Kinesis that accepts every record, at once or after a delay, to measure the cost of calls.

It parses as little of a request as possible, because it shares the cores with the measured process.
"""

import argparse
import asyncio
import re
import subprocess
import sys
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

# From an operation of AWS's API and the body of a request to the body of the response.
Answer = Callable[[str, bytes], bytes]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OPERATION = re.compile(rb"\r\nx-amz-target: *\w+\.(\w+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"
_RESULT = b'{"SequenceNumber":"1","ShardId":"shardId-000000000000"}'
_BUFFER_BYTES = 1 << 24


def put(operation: str, body: bytes) -> bytes:
    """Answer PutRecord or PutRecords: every record was accepted."""
    # Data is in base64, and quotes in keys are escaped, so this can only be the field's name.
    return _RESULT if operation == "PutRecord" else _results(body.count(b'"PartitionKey":'))


@cache
def _results(entries: int) -> bytes:
    return b'{"FailedRecordCount":0,"Records":[%s]}' % b",".join([_RESULT] * entries)


def serve(answer: Answer, delay_seconds: float = 0) -> None:
    """Answer requests on a free port, which is printed."""

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(IncompleteReadError):  # the client has gone
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(_LENGTH.findall(head)[0]))
                if delay_seconds:
                    await asyncio.sleep(delay_seconds)
                content = answer(_OPERATION.findall(head)[0].decode(), body)
                writer.write(_HEAD % len(content) + content)
        writer.close()

    async def forever() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=_BUFFER_BYTES)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def kinesis_stub(delay_seconds: float = 0) -> Iterator[str]:
    """Run the stub in another process, and return its endpoint URL.

    Args:
        delay_seconds: Delay of each response; calls may wait at the same time.
    """
    with serving("benchmarks.stub", str(delay_seconds)) as endpoint:
        yield endpoint


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that prints the port it listens on, and return its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("delay_seconds", type=float)
    serve(put, parser.parse_args().delay_seconds)
