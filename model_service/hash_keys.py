"""Which shard a partition key leads to."""

import hashlib


def hash_key(partition_key: str) -> int:
    """Where a partition key is among the hash keys that a stream's shards share out.

    Kinesis makes the key's MD5 a number of 128 bits, and the record goes to the shard in whose
    range that is (PutRecordsRequestEntry, Amazon Kinesis Data Streams API Reference).

    Returns:
        From 0 to 2**128 - 1.
    """
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())
