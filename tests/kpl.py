"""KPL aggregated records, encoded by Google's own protocol buffers."""

import hashlib
from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from streams.aggregation import MAGIC

_TYPES = descriptor_pb2.FieldDescriptorProto


def _aggregated_record() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="kpl.proto", package="kpl")
    tag = file.message_type.add(name="Tag")
    record = file.message_type.add(name="Record")
    aggregated = file.message_type.add(name="AggregatedRecord")

    def add(
        message: Any, name: str, number: int, kind: int, label: int, of: str | None = None
    ) -> None:
        message.field.add(name=name, number=number, type=kind, label=label, type_name=of)

    one, many = _TYPES.LABEL_OPTIONAL, _TYPES.LABEL_REPEATED
    add(tag, "key", 1, _TYPES.TYPE_STRING, one)
    add(tag, "value", 2, _TYPES.TYPE_STRING, one)
    add(record, "partition_key_index", 1, _TYPES.TYPE_UINT64, one)
    add(record, "explicit_hash_key_index", 2, _TYPES.TYPE_UINT64, one)
    add(record, "data", 3, _TYPES.TYPE_BYTES, one)
    add(record, "tags", 4, _TYPES.TYPE_MESSAGE, many, ".kpl.Tag")
    add(aggregated, "partition_key_table", 1, _TYPES.TYPE_STRING, many)
    add(aggregated, "explicit_hash_key_table", 2, _TYPES.TYPE_STRING, many)
    add(aggregated, "records", 3, _TYPES.TYPE_MESSAGE, many, ".kpl.Record")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("kpl.AggregatedRecord"))


_AggregatedRecord = _aggregated_record()


def message(records: Sequence[tuple[str, bytes]]) -> bytes:
    """The message of an aggregated record, with a hash key and a tag on every other one."""
    keys = sorted({key for key, _ in records})
    aggregated = _AggregatedRecord(partition_key_table=keys, explicit_hash_key_table=["7"])
    for place, (key, data) in enumerate(records):
        record = aggregated.records.add(partition_key_index=keys.index(key), data=data)
        if place % 2:
            record.explicit_hash_key_index = 0
            record.tags.add(key="k", value="v")
    return bytes(aggregated.SerializeToString())


def sealed(content: bytes) -> bytes:
    """A message with the magic bytes and its checksum."""
    return MAGIC + content + hashlib.md5(content).digest()


def aggregate(records: Sequence[tuple[str, bytes]]) -> bytes:
    """Partition keys and data as the KPL puts them into one record."""
    return sealed(message(records))


def parsed(data: bytes) -> Any:
    """The message of an aggregated record."""
    content = data[len(MAGIC) : -16]
    assert data == sealed(content)
    return _AggregatedRecord.FromString(content)
