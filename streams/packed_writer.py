"""Predictions packed into few Kinesis records, as the KPL does (`AGGREGATE_PREDICTIONS`).

A shard takes 1,000 records a second, and each is billed as 25 KB: a prediction by itself is 300
bytes of it. Readers take the records apart again, as `aggregation.payloads` does, the KCL, and
AWS's deaggregation libraries.
"""

import zlib
from collections.abc import Iterator, Sequence

from streams.aggregation import aggregate, hash_key
from streams.deadline import Deadline
from streams.writer import Entry, PredictionSink

# All predictions under one key go into the same group, and a group's records onto the same shard,
# one after the other, so that a ride's predictions stay in order. Each source shard has so many:
# enough to spread over shards, and few enough for a batch of 1,000 to make records of 20 KB.
GROUPS = 16

# Ten of the 25 KB that are billed; past that, nothing is gained.
MAX_PACKED_BYTES = 250_000


class PackedStream:
    """Packs predictions before it hands them to a stream.

    Args:
        stream: Takes the records.
    """

    def __init__(self, stream: PredictionSink) -> None:
        self._stream = stream

    def put(self, entries: Sequence[Entry], deadline: Deadline) -> list[Entry]:
        """Send the entries; answer with those that may not have arrived."""
        packs = {id(packed): (packed, pack) for packed, pack in _packed(entries)}
        unsent = self._stream.put([packed for packed, _ in packs.values()], deadline)
        return [entry for packed in unsent for entry in packs[id(packed)][1]]


def _packed(entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[Entry]]]:
    """Records to put, each with the entries that it holds; both in order."""
    for group, members in _groups(entries).items():
        place = hash_key(group)
        for pack in _fitting(members):
            data = aggregate([(entry.partition_key, entry.data) for entry in pack], place)
            yield Entry(pack[0].source, group, data), pack


def _groups(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        number = zlib.crc32(entry.partition_key.encode()) % GROUPS
        groups.setdefault(f"{entry.source.shard}.{number}", []).append(entry)
    return groups


def _fitting(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """As many entries at a time as a record may hold; at least one."""
    pack: list[Entry] = []
    size = 0
    for entry in entries:
        if pack and size + entry.size > MAX_PACKED_BYTES:
            yield pack
            pack, size = [], 0
        pack.append(entry)
        size += entry.size
    if pack:
        yield pack
