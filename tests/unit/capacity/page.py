"""Write the current output of each command on docs/capacity.md below it.

Run `.venv/bin/python -m tests.unit.capacity.page` after a change of prices or of the model.
"""

import io
import re
import shlex
from contextlib import redirect_stdout

from capacity.__main__ import main
from tests.conftest import PROJECT

PAGE = PROJECT / "docs" / "capacity.md"
_BLOCKS = re.compile(r"(```sh\nmake capacity(.*?)\n```\n\n```text\n)(.*?)(```)", re.DOTALL)


def rewritten(page: str) -> str:
    """Return a page with the current output of each command."""
    return _BLOCKS.sub(lambda block: block[1] + _output(block[2]) + block[4], page)


def _output(options: str) -> str:
    """Return what `make capacity RATE=… ARGS='…'` prints."""
    variables = dict(each.split("=", 1) for each in shlex.split(options))
    rate = ["--rides-per-second", variables["RATE"]] if "RATE" in variables else []
    with redirect_stdout(io.StringIO()) as output:
        main([*rate, *shlex.split(variables.get("ARGS", ""))])
    return output.getvalue()


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
