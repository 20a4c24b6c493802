import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from local.checkpoints import FileCheckpoints
from local.progress import Progress


def test_file_checkpoints_are_there_after_a_restart(tmp_path: Path) -> None:
    """What was saved is loaded by the next one, each shard's own."""
    path = tmp_path / "checkpoints.json"
    earlier = FileCheckpoints(path)
    earlier.save("one", "1")
    earlier.save("one", "2")
    earlier.save("two", "7")

    later = FileCheckpoints(path)

    assert (later.load("one"), later.load("two"), later.load("three")) == ("2", "7", None)


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


def _part(numbers: list[str], place: int, parts: int) -> list[str]:
    size = -(-len(numbers) // parts)
    return numbers[place * size : (place + 1) * size]
