"""Temporary folders of processes that end, live on or are killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from event_source_mapping.emulator import Emulator
from model_service.models.workspace import new_folder, workspace
from tests.conftest import PROJECT
from tests.contract.batch.test_batch_scheduled import FILES
from tests.s3_folders import upload
from tests.trip_files import write_trips

RUN = "Test123"

# Prints its folder, and ends when its input does.
OWNER = """
import sys
from model_service.models.workspace import new_folder
with new_folder("model") as folder:
    (folder / "MLmodel").write_text("large")
print(folder, flush=True)
sys.stdin.read()
"""

# Prints its folder, and ends without removing it; a fork of it lives on until its input ends.
FORKED = """
import os, sys
from model_service.models.workspace import workspace
print(workspace(), flush=True)
if os.fork():
    os._exit(1)
sys.stdin.read()
"""

# Imports a Lambda entry, as the runtime does, and is killed.
KILLED_FUNCTION = """
import importlib, os, signal, sys
importlib.import_module(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""

# Is killed before it uploads its first scored file, when it has all its temporary files.
KILLED_SCORING = """
import os, signal
import batch.places
from batch.scheduled import ScheduledScoring
batch.places.manifest_of = lambda _: os.kill(os.getpid(), signal.SIGKILL)
ScheduledScoring.from_environ(os.environ).run({}, None)
"""


def start(folder: Path, *command: str, **variables: str) -> subprocess.Popen[str]:
    """Start a process of this project whose temporary files go to a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", *command],
        cwd=PROJECT,
        env={**os.environ, **variables, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def owner(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a folder in its workspace, until it is killed or the block ends."""
    with start(folder, OWNER) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def shared(folder: Path) -> Path:
    """The folder of all workspaces of this user, as a process makes it."""
    return folder / f"ride-predictions-workspaces-{os.geteuid()}"


def workspaces(folder: Path) -> list[Path]:
    return list(shared(folder).iterdir())


def test_workspace_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    """The next process that needs a folder removes the one of a process that was killed."""
    with owner(tmp_path) as (killed, abandoned):
        killed.kill()
        killed.wait()
        assert abandoned.exists()

        with owner(tmp_path) as (_, new):
            assert not abandoned.parent.exists()
            assert workspaces(tmp_path) == [new.parent]


def test_workspace_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Processes that share a folder for temporary files keep out of each other's way."""
    with owner(tmp_path) as (_, one), owner(tmp_path) as (_, other):
        assert one.exists()
        assert other.exists()


def test_workspace_is_removed_when_its_process_ends(tmp_path: Path) -> None:
    """A process that is not killed removes its workspace when it ends."""
    with owner(tmp_path):
        pass

    assert workspaces(tmp_path) == []


def test_workspace_of_a_parent_lives_as_long_as_its_forks(tmp_path: Path) -> None:
    """A worker may use the model of the process that it was forked from, also after its end."""
    with start(tmp_path, FORKED) as parent:
        assert parent.stdout is not None
        folder = Path(parent.stdout.readline().strip())
        assert parent.wait() == 1
        with owner(tmp_path):
            assert folder.exists()


@pytest.mark.parametrize(
    "name",
    ["model-elsewhere", "ride-predictions-", "ride-predictions-feb", "ride-predictions-2x_3kq9z"],
)
def test_folder_of_another_program_is_left_alone(tmp_path: Path, name: str) -> None:
    """A checkout or an output folder that has the project's name is not removed."""
    (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / name / "scored.parquet").write_text("a month of rides")

    with owner(tmp_path):
        assert (tmp_path / name / "scored.parquet").exists()


def test_other_files_next_to_workspaces_are_left_alone(tmp_path: Path) -> None:
    """Only folders with a workspace's name are removed, and links are not followed."""
    shared(tmp_path).mkdir(mode=0o700)
    (shared(tmp_path) / "process-notes").mkdir()
    (tmp_path / "home").mkdir()
    (shared(tmp_path) / "process-abcdefgh").symlink_to(tmp_path / "home")

    with owner(tmp_path):
        assert (shared(tmp_path) / "process-notes").exists()
        assert (tmp_path / "home").exists()


def test_workspace_that_was_never_locked_is_removed_by_the_next(tmp_path: Path) -> None:
    """A process that is killed before it locks its new workspace leaves nothing for good."""
    (shared(tmp_path) / "process-abcdefgh").mkdir(parents=True)
    shared(tmp_path).chmod(0o700)

    with owner(tmp_path) as (_, new):
        assert workspaces(tmp_path) == [new.parent]


def make_public(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def make_link(folder: Path) -> None:
    private = folder.with_name("private")
    private.mkdir(mode=0o700)
    folder.symlink_to(private)


def give_away(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, -1)


@pytest.mark.parametrize("make", [make_public, make_link, give_away])
def test_workspaces_folder_of_somebody_else_is_not_used(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """A process whose shared folder is not private uses another one, and removes nothing."""
    make(shared(tmp_path))
    (shared(tmp_path) / "process-abcdefgh").mkdir()

    with owner(tmp_path) as (_, new):
        assert new.parent.parent == tmp_path
        assert new.parent.stat().st_mode & 0o777 == 0o700

    assert not new.exists()
    assert (shared(tmp_path) / "process-abcdefgh").exists()


def test_new_folder_is_removed_if_its_block_raises() -> None:
    """What could not be finished leaves nothing in the workspace."""
    before = set(workspace().iterdir())

    with pytest.raises(FileExistsError), new_folder("model") as folder:
        folder.mkdir()

    assert set(workspace().iterdir()) == before


@pytest.fixture
def model_in_s3(aws: Emulator, duration_model: dict[str, Any]) -> dict[str, str]:
    """Variables of a function whose model is in S3."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="models")
    upload(s3, Path(duration_model["model_location"]), "models", f"1/{RUN}/artifacts/model")
    return {"RUN_ID": RUN, "MODEL_BUCKET": "models", "TEST_RUN": "True"}


def test_function_that_is_killed_leaves_one_copy_of_its_model(
    model_in_s3: dict[str, str], tmp_path: Path
) -> None:
    """However often Lambda kills a function, its disk holds one model."""
    for _ in range(3):
        with start(tmp_path, KILLED_FUNCTION, "lambda_function", **model_in_s3) as function:
            assert function.wait() == -9

        assert len(list(tmp_path.rglob("MLmodel"))) == 1


def test_scoring_that_is_killed_leaves_one_copy_of_its_files(
    aws: Emulator, model_in_s3: dict[str, str], tmp_path: Path
) -> None:
    """However often Lambda kills scheduled scoring, it leaves one copy of each file."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="rides")
    s3.upload_file(str(write_trips(tmp_path, FILES[0], 50)), "rides", f"trips/{FILES[0]}")
    places = {"BATCH_INPUT": "s3://rides/trips", "BATCH_OUTPUT": "s3://rides/scored"}
    folder = tmp_path / "tmp"
    folder.mkdir()
    for _ in range(3):
        with start(folder, KILLED_SCORING, **model_in_s3, **places) as function:
            assert function.wait() == -9

        assert len(list(folder.rglob("MLmodel"))) == 1
        assert len(list(folder.rglob("trips.parquet"))) == 1
        assert len(list(folder.rglob("scored.parquet"))) == 1
