"""The command as a process."""

import shlex
import subprocess
import sys

from tests.conftest import PROJECT


def test_reader_that_leaves_is_no_error() -> None:
    """`… | head -1` ends without a complaint."""
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m capacity --sources | head -1",
        shell=True,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""
    assert done.stdout.startswith("kinesis.shard_hour")
