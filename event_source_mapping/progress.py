"""How far a shard is done when its batches end in any order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable


class Progress:
    """Moves a checkpoint past records, in the order of the shard, as soon as all before are done.

    Args:
        save: Takes the checkpoint, whenever it moves.
    """

    def __init__(self, save: Callable[[str], object]) -> None:
        self._save = save
        self._under_way: deque[str] = deque()
        self._done: set[str] = set()
        self._lock = threading.Lock()

    @property
    def complete(self) -> bool:
        """Whether every record is done."""
        with self._lock:
            return not self._under_way

    def begin(self, sequence_numbers: Iterable[str]) -> None:
        """Take note of records, in the order of the shard."""
        with self._lock:
            self._under_way.extend(sequence_numbers)

    def finish(self, sequence_numbers: Iterable[str]) -> None:
        """Count records as done."""
        with self._lock:
            self._done.update(sequence_numbers)
            checkpoint = None
            while self._under_way and self._under_way[0] in self._done:
                checkpoint = self._under_way.popleft()
                self._done.remove(checkpoint)
            # Under the lock, so that the checkpoint never moves back.
            if checkpoint is not None:
                self._save(checkpoint)
