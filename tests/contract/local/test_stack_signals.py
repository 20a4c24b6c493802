"""How the local stack's commands stop."""

import signal
import subprocess
import sys

from tests.conftest import PROJECT

COMMAND = """
import time
from local.sample_models import stop_on_signals

stop_on_signals()
try:
    print("up", flush=True)
    while True:
        time.sleep(0.1)
finally:
    print("cleaning up", flush=True)
    input()
    print("clean", flush=True)
"""


def test_second_sigterm_does_not_end_the_cleanup() -> None:
    """A command that make stops gets SIGTERM twice, from the caller and from make."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        process.send_signal(signal.SIGTERM)
        said.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate("\n", timeout=60)

    assert [*said, rest] == ["up\n", "cleaning up\n", "clean\n"]
