"""A Kinesis that accepts every record, at once or after a delay, to measure the cost of calls.

It parses as little of a request as possible, because it shares the cores with the measured process.
"""

import argparse
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_BATCH = re.compile(rb"\r\nx-amz-target: *Kinesis_\d+\.PutRecords\b", re.IGNORECASE)
_RESULT = b'{"SequenceNumber":"1","ShardId":"shardId-000000000000"}'
_END = b"\r\n\r\n"


def answer(head: bytes, body: bytes) -> bytes:
    """Return the response to a PutRecord or PutRecords request: every record was accepted."""
    # Data is in base64, and quotes in keys are escaped, so this can only be the field's name.
    return _response(body.count(b'"PartitionKey":') if _BATCH.search(head) else None)


@cache
def _response(entries: int | None) -> bytes:
    body = _RESULT
    if entries is not None:
        body = b'{"FailedRecordCount":0,"Records":[%s]}' % b",".join([_RESULT] * entries)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d"
    return head % len(body) + _END + body


class _Connection(asyncio.Protocol):
    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while request := self._take_request():
            response = answer(*request)
            if self._delay_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self._delay_seconds, self._transport.write, response)
            else:
                self._transport.write(response)

    def _take_request(self) -> tuple[bytes, bytes] | None:
        """Remove the first request from the buffer, if it is complete."""
        start = self._received.find(_END) + len(_END)
        if start < len(_END):
            return None
        head = bytes(self._received[:start])
        found = _LENGTH.search(head)
        end = start + (int(found[1]) if found else 0)
        if len(self._received) < end:
            return None
        body = bytes(self._received[start:end])
        del self._received[:end]
        return head, body


async def _serve(delay_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(delay_seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


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
    asyncio.run(_serve(parser.parse_args().delay_seconds))
