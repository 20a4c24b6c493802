"""Starts LocalStack on the loopback interface; by itself it listens on all of them.

Its Kinesis, a Node.js program, is held to it by `on_loopback.js`.
"""

import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet import endpoints


class LoopbackEndpoint(endpoints.TCP4ServerEndpoint):
    """A server on 127.0.0.1 only."""

    def __init__(self, reactor: Any, port: int) -> None:
        super().__init__(reactor, port, interface="127.0.0.1")


if __name__ == "__main__":
    endpoints.TCP4ServerEndpoint = LoopbackEndpoint
    os.environ["NODE_OPTIONS"] = f"--require={Path(__file__).with_suffix('.js')}"

    from localstack.runtime.main import main

    sys.exit(main())
