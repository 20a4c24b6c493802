"""Clients that post one body all the time, in a process of their own; prints latencies as JSON.

`python -m benchmarks.load PORT SECONDS CONNECTIONS < BODY`. A client is a bare socket: what it does
itself is to be little beside what it measures.
"""

import json
import socket
import sys
import threading
import time


def main() -> None:
    """Post for some seconds; print seconds by request, and how long all of it took."""
    port, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    body = sys.stdin.buffer.read()
    request = (
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body
    latencies: list[float] = []
    start = time.perf_counter()
    clients = [
        threading.Thread(target=_ask, args=(port, request, start + seconds, latencies))
        for _ in range(connections)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    print(json.dumps({"latencies": latencies, "seconds": time.perf_counter() - start}))


def _ask(port: int, request: bytes, ends: float, latencies: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (start := time.perf_counter()) < ends:
            connection.sendall(request)
            _read(connection)
            latencies.append(time.perf_counter() - start)


def _read(connection: socket.socket) -> None:
    """Read one answer, which is to be 200."""
    received = b""
    while (ends := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:ends].lower()
    if not head.startswith(b"http/1.1 200 "):
        raise RuntimeError(received.decode())
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    left = length - (len(received) - ends - 4)
    while left > 0:
        left -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(1 << 18)
    if not received:
        raise RuntimeError("the connection was closed")
    return received


if __name__ == "__main__":
    main()
