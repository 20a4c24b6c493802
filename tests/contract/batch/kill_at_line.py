"""Runs `python -m batch` and kills it, as `kill -9` would, before the given line of its own code.

    kill_at_line.py LINE ARGUMENT ...

LINE counts the executed lines of `batch/` and `tlc/`, from 1. With 0 nothing is killed, and their
number goes to standard error. So each place in a run can be hit, whatever the machine's speed.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import batch.__main__ as command
from tlc import columns

PACKAGES = tuple(str(Path(place).parent) for place in (command.__file__, columns.__file__))


class Killer:
    def __init__(self, at: int) -> None:
        self.at = at
        self.lines = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            return self if frame.f_code.co_filename.startswith(PACKAGES) else None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


if __name__ == "__main__":
    killer = Killer(int(sys.argv[1]))
    sys.settrace(killer)
    status = command.main(sys.argv[2:])
    sys.settrace(None)
    sys.stderr.write(f"{killer.lines}\n")
    sys.exit(status)
