import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_source_mapping.checkpoints import SHARD_END, FileCheckpoints
from event_source_mapping.mapping_errors import CheckpointsError
from event_source_mapping.progress import Progress


def test_file_checkpoints_are_there_after_a_restart(tmp_path: Path) -> None:
    """What was saved is loaded by the next one, each shard's own."""
    path = tmp_path / "checkpoints.json"
    earlier = FileCheckpoints(path)
    earlier.save("one", "1")
    earlier.save("one", "2")
    earlier.save("two", "7")

    later = FileCheckpoints(path)

    assert (later.load("one"), later.load("two"), later.load("three")) == ("2", "7", None)


def test_file_checkpoints_are_on_the_disk_before_they_take_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut at any moment leaves the file of before, or the new one, whole."""
    path = tmp_path / "checkpoints.json"
    checkpoints = FileCheckpoints(path)
    checkpoints.save("one", "1")
    synced: list[tuple[int, int]] = []
    replaced: list[tuple[int, int]] = []
    sync, replace = os.fsync, Path.replace

    def noting_sync(descriptor: int) -> None:
        sync(descriptor)
        synced.append(_inode_and_size(os.fstat(descriptor)))

    def noting_replace(new: Path, target: Path) -> Path:
        assert json.loads(target.read_text()) == {"one": "1"}
        assert _inode_and_size(new.stat()) in synced
        replaced.append(_inode_and_size(new.stat()))
        return replace(new, target)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    checkpoints.save("one", "2")

    assert replaced == [_inode_and_size(path.stat())]


def test_file_checkpoints_first_file_is_in_its_folder_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file has no older one to fall back to, so that its folder is written, too."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    checkpoints = FileCheckpoints(tmp_path / "checkpoints.json")

    checkpoints.save("one", "1")
    in_the_first_save = list(synced)
    checkpoints.save("one", "2")

    assert in_the_first_save[-1] == tmp_path.stat().st_ino
    assert synced.count(tmp_path.stat().st_ino) == 1


def test_file_checkpoints_pass_over_a_file_that_was_not_finished(tmp_path: Path) -> None:
    """What a power cut left beside the file is not read, and the next save writes over it."""
    path = tmp_path / "checkpoints.json"
    FileCheckpoints(path).save("one", "1")
    path.with_name("checkpoints.json.new").write_text("")

    checkpoints = FileCheckpoints(path)
    assert checkpoints.load("one") == "1"
    checkpoints.save("one", "2")

    assert FileCheckpoints(path).load("one") == "2"


def test_file_checkpoints_of_a_file_that_is_none_are_refused_by_its_name(tmp_path: Path) -> None:
    """A mapping does not begin anew because the file is damaged."""
    path = tmp_path / "checkpoints.json"
    for text in ('{"one": "1', "[]", '{"one": 1}', ""):
        path.write_text(text)
        with pytest.raises(CheckpointsError, match=r"checkpoints\.json does not say how far"):
            FileCheckpoints(path)


def test_file_checkpoint_that_was_not_written_has_not_moved(tmp_path: Path) -> None:
    """Children do not begin by the end of a parent that a restart would not know of."""
    folder = tmp_path / "folder"
    folder.mkdir()
    checkpoints = FileCheckpoints(folder / "checkpoints.json")
    checkpoints.save("one", "1")
    folder.rename(tmp_path / "gone")

    with pytest.raises(FileNotFoundError):
        checkpoints.save("one", SHARD_END)

    assert checkpoints.load("one") == "1"


@given(count=st.integers(1, 30), seed=st.integers(), reads=st.integers(1, 5))
def test_progress_never_passes_a_record_that_is_not_done(count: int, seed: int, reads: int) -> None:
    """In whatever order records are done, the checkpoint is the last before the first undone."""
    saved: list[str] = []
    progress = Progress(saved.append)
    numbers = [f"{n:02d}" for n in range(count)]
    for start in range(reads):
        progress.begin(_part(numbers, start, reads))
    done: set[str] = set()
    for number in random.Random(seed).sample(numbers, count):
        progress.finish([number])
        done.add(number)
        reached = next((n for n in numbers if n not in done), None)
        behind = numbers[: numbers.index(reached)] if reached else numbers
        assert saved[-1:] == behind[-1:]

    assert progress.complete
    assert saved == sorted(saved)


def _inode_and_size(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_size


def _part(numbers: list[str], place: int, parts: int) -> list[str]:
    size = -(-len(numbers) // parts)
    return numbers[place * size : (place + 1) * size]
