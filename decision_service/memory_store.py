"""A store of cases in memory, for tests, yours included; its conditions are those of DynamoDB."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import batched

from msgspec.structs import replace

from decision_service.cases import Case, decode_case, encode_case
from streams.deadline import Deadline


class MemoryStore:
    """Cases in a dictionary, encoded as in DynamoDB.

    Attributes:
        bodies: Each case, encoded.
        open: When each case is due whose decision is not put.
        refusing: Keys of cases that cannot be saved, as when DynamoDB throttles.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.open: dict[str, float] = {}
        self.refusing: set[str] = set()
        self._revisions: dict[str, int] = {}

    def load(self, keys: Collection[str]) -> dict[str, Case]:
        """The cases that there are."""
        return {key: decode_case(self.bodies[key]) for key in keys if key in self.bodies}

    def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
        """Save cases, each on the condition that it is as it was when it was loaded."""
        return {
            key: saved
            for key, case in cases.items()
            if not deadline.passed() and (saved := self._save(key, case))
        }

    def due(self, now: float) -> Iterator[Sequence[str]]:
        """Pages of keys, the oldest first."""
        ended = sorted((due, key) for key, due in self.open.items() if due <= now)
        for page in batched(ended, 500, strict=False):
            yield [key for _, key in page]

    def _save(self, key: str, case: Case) -> Case | None:
        if key in self.refusing or self._revisions.get(key, 0) != case.revision:
            return None
        saved = replace(case, revision=case.revision + 1)
        self.bodies[key] = encode_case(saved)
        self._revisions[key] = saved.revision
        self.open.pop(key, None)
        if not saved.is_put:
            self.open[key] = saved.due
        return saved
