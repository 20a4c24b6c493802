"""A Kinesis that takes every record at once: the cost of a call, without that of a stream."""

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body are two writes, which must not wait for one another.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer a PutRecords call."""
        entries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["Records"]
        result = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
        body = json.dumps({"FailedRecordCount": 0, "Records": [result] * len(entries)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


def _serve(ports: "multiprocessing.Queue[int]") -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    ports.put(server.server_port)
    server.serve_forever()


@contextmanager
def kinesis_stub() -> Iterator[str]:
    """Run the stub in a process of its own; gives its endpoint URL."""
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()
