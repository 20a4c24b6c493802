"""Predictions packed into few Kinesis records, as the KPL does (`AGGREGATE_PREDICTIONS`).

A shard takes 1,000 records a second, and each is billed as 25 KB: a prediction by itself is 300
bytes of it. Readers take the records apart again, as `aggregation.payloads` does, the KCL, and
AWS's deaggregation libraries.
"""

import zlib
from collections.abc import Iterator, Sequence

from streams.aggregation import aggregate, hash_key
from streams.deadline import Deadline
from streams.records import UserRecord
from streams.writer import Entry, Writer

# All predictions under one key go into the same group, and a group's records onto the same shard,
# one after the other, so that a ride's predictions stay in order. Each source shard has so many:
# enough to spread over shards, and few enough for a batch of 1,000 to make records of 20 KB.
GROUPS = 16

# An entry that answers a user record.
type Answer = Entry[UserRecord]

# Ten of the 25 KB that are billed; past that, nothing is gained.
MAX_PACKED_BYTES = 250_000


class PackedWriter:
    """Packs entries into aggregated records before it hands them to a writer.

    Args:
        writer: Takes the records.
    """

    def __init__(self, writer: Writer[list[Answer]]) -> None:
        self._writer = writer

    def put(self, entries: Sequence[Answer], deadline: Deadline) -> list[Answer]:
        """Put the entries, and return those that may not have arrived."""
        unsent = self._writer.put(list(_packed(entries)), deadline)
        return [entry for packed in unsent for entry in packed.token]


def _packed(entries: Sequence[Answer]) -> Iterator[Entry[list[Answer]]]:
    """Yield records to put, in order; the token of each is the entries that it holds."""
    for group, members in _groups(entries).items():
        place = hash_key(group)
        for pack in _fitting(members):
            data = aggregate([(entry.partition_key, entry.data) for entry in pack], place)
            yield Entry(pack, group, data, pack[0].order)


def _groups(entries: Sequence[Answer]) -> dict[str, list[Answer]]:
    groups: dict[str, list[Answer]] = {}
    for entry in entries:
        number = zlib.crc32(entry.partition_key.encode()) % GROUPS
        groups.setdefault(f"{entry.token.source.shard}.{number}", []).append(entry)
    return groups


def _fitting(entries: Sequence[Answer]) -> Iterator[list[Answer]]:
    """As many entries at a time as a record may hold; at least one."""
    pack: list[Answer] = []
    size = 0
    for entry in entries:
        if pack and size + entry.size > MAX_PACKED_BYTES:
            yield pack
            pack, size = [], 0
        pack.append(entry)
        size += entry.size
    if pack:
        yield pack
