"""The file that leads a shell to the stack of `make up`, and the lock that makes it one stack."""

import fcntl
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Succeeds if no stack is up. A process ID is not enough: it may belong to a zombie or be reused.
_TAKE_LOCK = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_SH | fcntl.LOCK_NB)"


class StackIsUp(Exception):
    """Another process of this checkout runs the stack."""


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock file; the system releases it when the process ends, even if it is killed.

    Raises:
        StackIsUp: Another process holds it.
    """
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackIsUp(
                "this checkout's stack is up already; stop it first, or use another clone"
            ) from None
        yield


def write_environment(
    path: Path, lock_path: Path, variables: Mapping[str, str], commands: Path
) -> None:
    """Write a file that leads the AWS clients of a shell to the stack, and nowhere else.

    The file fails, and changes nothing, once no process holds the lock: a stack that was killed
    leaves its file behind, and another program may listen on its port by then.

    Args:
        path: The file.
        lock_path: The lock file that this process holds.
        variables: What leads AWS clients here.
        commands: Folder of a Python and an AWS CLI.
    """
    python, lock_file, folder = (
        shlex.quote(str(each)) for each in (commands / "python", lock_path, commands)
    )
    lines = [
        f"{python} -ISc '{_TAKE_LOCK}' {lock_file} 2>/dev/null && {{",
        """    echo "the local stack is not up: start it with 'make up'" >&2""",
        "    return 1",
        "}",
        # A profile, a session or an endpoint of one service would take precedence over these.
        r"unset KINESIS_ENDPOINT_URL $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p')",
        *(f"export {name}={value}" for name, value in variables.items()),
        f'command -v aws >/dev/null || export PATH={folder}:"$PATH"',
    ]
    # In one step: a shell that reads half of it would ask for a region, or lead to an account.
    half = path.with_suffix(".half")
    half.write_text("\n".join(lines) + "\n")
    half.replace(path)
