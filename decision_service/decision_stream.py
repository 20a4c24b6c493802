"""Where decisions go: onto a stream, by the same PutRecords that loses nothing."""

from collections.abc import Mapping
from typing import Protocol

from decision_service.arrivals import key_of
from streams.deadline import Deadline
from streams.writer import Entry, Writer


class DecisionSink(Protocol):
    """Takes decision events by the texts of their keys."""

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        ...


class DecisionStream:
    """Puts decision events onto a stream under the partition key `str(key)`.

    Args:
        writer: Such as `streams.writer.StreamWriter`.
    """

    def __init__(self, writer: Writer[str]) -> None:
        self._writer = writer

    def put(self, decisions: Mapping[str, str], deadline: Deadline) -> set[str]:
        """Put decision events; answer with the keys of those that arrived."""
        entries = [
            Entry(key, str(key_of(key)), decision.encode()) for key, decision in decisions.items()
        ]
        return decisions.keys() - {entry.token for entry in self._writer.put(entries, deadline)}
