"""Gunicorn's settings: `gunicorn --config python:web_service.gunicorn_conf web_service.wsgi:app`.

`GUNICORN_CMD_ARGS` is gunicorn's own variable, and wins over what is set here.
"""

import json
import logging
import os
import socket
import struct
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers import gthread

from streams.errors import SettingsError
from web_service.settings import WebSettings

# Native thread pools do not survive a fork, and a pool in each of several processes only costs.
# They are read when numpy and scikit-learn are imported, which is with the application.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes what was asked and how it went; of a ride, nothing."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write one request's line."""
        if not self.access_log_enabled:
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": environ.get("REQUEST_METHOD"),
            "path": environ.get("PATH_INFO"),
            "status": int(str(resp.status).split(maxsplit=1)[0]),
            "milliseconds": round(request_time.total_seconds() * 1000, 3),
            "bytes": getattr(resp, "sent", None),
            "remote": environ.get("REMOTE_ADDR"),
            "user_agent": environ.get("HTTP_USER_AGENT"),
        }
        self.access_log.info("%s", json.dumps(line))


try:
    _settings = WebSettings.from_environ(os.environ)
except SettingsError as error:
    sys.exit(f"web_service: error: {error}")

bind = _settings.bind
workers = _settings.processes
worker_class = "gthread"
threads = 4
# The model is loaded once; processes share its memory.
preload_app = True
keepalive = 30
timeout = 60
graceful_timeout = 30
logger_class = JsonLogger
accesslog = "-"
# It would write a socket into the home folder, of which a container's user has none.
control_socket_disable = True
# A connection on which nothing comes has a thread for 5 seconds before it is only watched. A few
# that were opened ahead, as browsers and balancers do, would keep all requests waiting; gunicorn
# 26.2 has no setting for it.
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.05


def when_ready(server: Any) -> None:
    """Have the kernel give up on clients that send part of a request; threads would wait for ever.

    Accepted connections have this from the socket that they were accepted on ("socket(7)",
    SO_RCVTIMEO).
    """
    seconds = struct.pack("ll", _settings.read_timeout, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)


def post_fork(server: Any, worker: Any) -> None:
    """What a worker has of its own."""
    from web_service import wsgi

    wsgi.follow()


logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
for _name in ("web_service", "model_service"):
    logging.getLogger(_name).setLevel(logging.INFO)
