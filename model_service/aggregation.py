"""Records that the Kinesis Producer Library aggregated: many user records in one.

The format is that of "KPL Aggregated Record Format" (awslabs/amazon-kinesis-producer): four magic
bytes, a protocol buffer message, and the message's MD5.

    message AggregatedRecord { repeated string partition_key_table = 1;
                               repeated string explicit_hash_key_table = 2;
                               repeated Record records = 3; }
    message Record { required uint64 partition_key_index = 1;
                     optional uint64 explicit_hash_key_index = 2;
                     required bytes data = 3;
                     repeated Tag tags = 4; }
"""

import hashlib
from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"

_DIGEST_BYTES = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


def deaggregate(payload: bytes) -> list[tuple[str, bytes]]:
    """The user records of an aggregated record: partition key and data of each, in order.

    Args:
        payload: Bytes that begin with `MAGIC`.

    Raises:
        ValueError: They are not an aggregated record; the message says why.
    """
    message, checksum = payload[len(MAGIC) : -_DIGEST_BYTES], payload[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != checksum:
        raise ValueError("the checksum is not that of the content")
    keys: list[str] = []
    records: list[bytes] = []
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            keys.append(value.decode())
        elif number == 3 and isinstance(value, bytes):  # noqa: PLR2004 - as in the message above
            records.append(value)
    if not records:
        raise ValueError("it holds no user record")
    return [_user_record(record, keys) for record in records]


def _user_record(record: bytes, keys: list[str]) -> tuple[str, bytes]:
    fields = dict(_fields(record))
    index, data = fields.get(1), fields.get(3)
    if not isinstance(data, bytes) or not isinstance(index, int):
        raise ValueError("a user record has no data or no partition key")
    if index >= len(keys):
        raise ValueError(f"a user record has partition key {index} of {len(keys)}")
    return keys[index], data


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field ("Encoding", Protocol Buffers documentation)."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"field {number} has the unknown wire type {kind}")
        if place + size > len(message):
            raise ValueError(f"field {number} is cut off")
        yield number, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The integer that begins at a place, and the place after it."""
    value = 0
    for count, byte in enumerate(message[place : place + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more bytes follow
            return value, place + count + 1
    raise ValueError("a number is cut off")
