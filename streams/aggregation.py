"""Records as the Kinesis Producer Library aggregates them: many user records in one.

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
from collections.abc import Iterator, Sequence

from streams.json_fields import MAX_PARTITION_KEY_CHARACTERS

MAGIC = b"\xf3\x89\x9a\xc2"

# The smallest ride event has 74 bytes in JSON, and its place in an aggregated record six more. So
# what holds more user records than this allows cannot be rides, or not all of them: it would cost
# memory and time for each, and is refused whole. Few records may be of any size, so that one that
# is wrong is rejected by itself: the KPL makes records of 51,200 bytes unless configured otherwise
# (`AggregationMaxSize`), which hold 640 rides.
SMALLEST_USER_RECORD_BYTES = 80
ALWAYS_ALLOWED_USER_RECORDS = 1000

# A partition key, a hash key and data, and what later versions may add.
_MOST_FIELDS_OF_A_USER_RECORD = 100

_DIGEST_BYTES = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_MORE_FOLLOWS = 0x80  # the highest bit of an octet, which has seven of the integer


def deaggregate(payload: bytes) -> list[tuple[str, bytes]]:
    """The user records of an aggregated record: partition key and data of each, in order.

    Args:
        payload: Bytes that begin with `MAGIC`.

    Raises:
        ValueError: They are not an aggregated record, or one of more user records than can be
            rides; the message says why.
    """
    message, checksum = payload[len(MAGIC) : -_DIGEST_BYTES], payload[-_DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != checksum:
        raise ValueError("the checksum is not that of the content")
    keys, records = _tables(message)
    if not records:
        raise ValueError("it holds no user record")
    return [_user_record(record, keys) for record in records]


def payloads(data: bytes) -> list[bytes]:
    """What producers sent in a record: its data, or those of the user records in it.

    Raises:
        ValueError: It begins like an aggregated record, and is none.
    """
    return [sent for _, sent in deaggregate(data)] if data.startswith(MAGIC) else [data]


def aggregate(records: Sequence[tuple[str, bytes]], hash_key: int) -> bytes:
    """One aggregated record of user records: the reverse of `deaggregate`.

    Args:
        records: Partition key and data of each.
        hash_key: That of the record's own partition key. Each user record gets it, too: the KCL
            drops those whose hash key is not of the shard that they are read from.
    """
    places: dict[str, int] = {}
    users: list[bytes] = []
    for key, data in records:
        place = _encode_varint(places.setdefault(key, len(places)))
        user = b"\x08" + place + b"\x10\x00\x1a" + _encode_varint(len(data)) + data
        users += (b"\x1a", _encode_varint(len(user)), user)
    keys = b"".join(b"\x0a" + _encode_varint(len(key)) + key for key in map(str.encode, places))
    hash_keys = str(hash_key).encode()
    message = b"".join((keys, b"\x12", _encode_varint(len(hash_keys)), hash_keys, *users))
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def _encode_varint(value: int) -> bytes:
    octets = bytearray()
    while value >= _MORE_FOLLOWS:
        octets.append(value & 0x7F | _MORE_FOLLOWS)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _tables(message: bytes) -> tuple[list[str], list[bytes]]:
    """The partition keys and the user records of a message."""
    keys: list[str] = []
    records: list[bytes] = []
    most = max(ALWAYS_ALLOWED_USER_RECORDS, len(message) // SMALLEST_USER_RECORD_BYTES)
    # Each user record with a partition key and a hash key of its own, and what may be added.
    for number, value in _fields(message, most=4 * most):
        if number == 1 and isinstance(value, bytes):
            keys.append(_partition_key(value))
        elif number == 3 and isinstance(value, bytes):  # noqa: PLR2004 - as in the message above
            records.append(value)
        if len(keys) > most or len(records) > most:
            raise ValueError(
                f"it holds more than {most} user records or partition keys in its "
                f"{len(message)} bytes, which cannot all be rides"
            )
    return keys, records


def _partition_key(value: bytes) -> str:
    # One key may be that of many user records, and each rejection of one spells it out.
    key = value.decode()
    if len(key) > MAX_PARTITION_KEY_CHARACTERS:
        raise ValueError(
            f"a partition key has {len(key)} characters; it may have {MAX_PARTITION_KEY_CHARACTERS}"
        )
    return key


def _user_record(record: bytes, keys: list[str]) -> tuple[str, bytes]:
    index: int | bytes | None = None
    data: int | bytes | None = None
    for number, value in _fields(record, most=_MOST_FIELDS_OF_A_USER_RECORD):
        if number == 1:
            index = value
        elif number == 3:  # noqa: PLR2004 - as in the message above
            data = value
    if not isinstance(data, bytes) or not isinstance(index, int):
        raise ValueError("a user record has no data or no partition key")
    if index >= len(keys):
        raise ValueError(f"a user record has partition key {index} of {len(keys)}")
    return keys[index], data


def _fields(message: bytes, *, most: int) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field ("Encoding", Protocol Buffers documentation)."""
    place = count = 0
    while place < len(message):
        count += 1
        if count > most:
            raise ValueError(f"a message of {len(message)} bytes has more than {most} fields")
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
    if place < len(message) and message[place] < _MORE_FOLLOWS:  # as of most
        return message[place], place + 1
    value = 0
    for count, byte in enumerate(message[place : place + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < _MORE_FOLLOWS:
            return value, place + count + 1
    raise ValueError("a number is cut off")


def hash_key(partition_key: str) -> int:
    """Where a partition key is among the hash keys that a stream's shards share out.

    Kinesis makes the key's MD5 a number of 128 bits, and the record goes to the shard in whose
    range that is (PutRecordsRequestEntry, Amazon Kinesis Data Streams API Reference).

    Returns:
        From 0 to 2**128 - 1.
    """
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())
