"""Writes the tables of docs/capacity.md anew: below each command, what it prints now.

A test holds that there is nothing to write. Run it after an edit of the prices or of the model.
"""

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

from capacity.__main__ import main

PAGE = Path(__file__).parent.parent / "docs" / "capacity.md"
_BLOCKS = re.compile(r"(```sh\nmake capacity(.*?)\n```\n\n```text\n)(.*?)(```)", re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The arguments of every command of a page."""
    return [_arguments(options) for _, options, _, _ in _BLOCKS.findall(page)]


def rewritten(page: str) -> str:
    """A page with the output of each of its commands as it is now."""
    return _BLOCKS.sub(lambda found: found[1] + _output(_arguments(found[2])) + found[4], page)


def _arguments(options: str) -> list[str]:
    """What `make capacity RATE=… ARGS='…'` gives to the command."""
    variables = dict(each.split("=", 1) for each in shlex.split(options))
    rate = ["--rides-per-second", variables["RATE"]] if "RATE" in variables else []
    return [*rate, *shlex.split(variables.get("ARGS", ""))]


def _output(arguments: list[str]) -> str:
    with redirect_stdout(io.StringIO()) as output:
        main(arguments)
    return output.getvalue()


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
