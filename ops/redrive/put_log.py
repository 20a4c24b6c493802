"""What was put again, and onto which stream, remembered next to the failures.

Every call of a put has an object of its own, `redriven/<stream>/<number>.json`. It is written
before the call, only if no other put has that number ("Conditional writes", Amazon S3 User Guide),
and written again after it. So two puts at a time cannot put the same record, and of a put that died
it is known which records, those of one call, may be on the stream and may be not. Puts onto
different streams exclude each other, too, but one knows nothing of what the other has put.
"""

import os
import socket
import sys
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from cli.terminal import OpsError
from ops.redrive.failures import BucketClient, Identity, listed

PREFIX = "redriven"
# Longer than a call can take, all its retries included (`resend.PATIENCE_SECONDS`,
# `__main__.connected`).
LEASE_SECONDS = 240.0
# What S3 answers to a conditional write that came second, or beside another.
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


class State(StrEnum):
    """How far a call is."""

    UNDER_WAY = "under_way"
    DONE = "done"
    CUT_OFF = "cut_off"


class Call(Struct, frozen=True):
    """A call of a put.

    `records` are shard, sequence number and place of each; once it is done, those that the stream
    took, and `left` those that it did not take, or not for certain. `token` tells a call from all
    others.
    """

    state: State
    by: str
    onto: str
    records: list[tuple[str, str, int | None]]
    token: str = ""
    left: list[tuple[str, str, int | None]] = []


class Memory:
    """What was put again of one source stream, onto one stream.

    Args:
        s3: boto3's S3 client.
        bucket: The failures bucket.
        stream: The stream that the records were on first.
        onto: The stream that they are put onto.

    Attributes:
        done: What was put again.
        doubtful: What may have been: its put was cut off, or the stream did not answer.
    """

    def __init__(self, s3: BucketClient, bucket: str, stream: str, onto: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stream = stream
        self._onto = onto
        self._last = 0
        self._under_way: list[tuple[Call, float]] = []
        self.done: set[Identity] = set()
        self.doubtful: set[Identity] = set()
        self._load()

    def has_put(self, identity: Identity) -> bool:
        """Whether a record was put again, by itself or with the whole record that it is of."""
        return not self.done.isdisjoint((identity, identity.whole))

    def may_have_put(self, identity: Identity) -> bool:
        """Whether a put of the record, or of the whole that it is of, was cut off."""
        return not self.doubtful.isdisjoint((identity, identity.whole))

    def require_free(self) -> None:
        """Refuse to go on beside another put.

        Raises:
            OpsError: One is under way, or died a moment ago.
        """
        for call, age in self._under_way:
            raise OpsError(
                f"another put, by {call.by}, began a call {age:.0f} seconds ago; wait until it "
                f"ends, or, if it died, for {LEASE_SECONDS - age:.0f} seconds"
            )

    def begin(self, identities: Collection[Identity]) -> tuple[str, Call]:
        """Note that these are about to be put; answer with what `end` needs.

        Raises:
            OpsError: Another put began at the same time; nothing is to be put.
        """
        self._last += 1
        key = f"{PREFIX}/{self._stream}/{self._last:08}.json"
        records = [identity[1:] for identity in identities]
        by = f"process {os.getpid()} on {socket.gethostname()}"
        token = str(uuid.uuid4())
        call = Call(State.UNDER_WAY, by, self._onto, records, token)
        try:
            self._write(key, call, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TAKEN:
                raise
            # botocore sends a write again whose answer was lost, and may meet its own object.
            if self._found(key) != call:
                raise OpsError(
                    "another put has begun meanwhile; run this one again when that has ended: "
                    "what either has put is not put again"
                ) from None
        return key, call

    def end(self, begun: tuple[str, Call], state: State, taken: Iterable[Identity] = ()) -> None:
        """Note how a call ended, and which records the stream took if it is done."""
        key, call = begun
        identities = list(taken)
        if state is State.DONE:
            taken_ones = {identity[1:] for identity in identities}
            records = [record for record in call.records if record in taken_ones]
            left = [record for record in call.records if record not in taken_ones]
            call = msgspec.structs.replace(call, records=records, left=left)
        self._write(key, msgspec.structs.replace(call, state=state))
        self.done.update(identities)

    def _write(self, key: str, call: Call, **condition: str) -> None:
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=msgspec.json.encode(call),
            ContentType="application/json",
            **condition,
        )

    def _load(self) -> None:
        for entry in listed(self._s3, self._bucket, f"{PREFIX}/{self._stream}/"):
            self._last = max(self._last, _number(entry["Key"]))
            self._take(*self._read(entry["Key"]))
        self.doubtful -= self.done

    def _take(self, call: Call, age: float) -> None:
        if call.state is State.UNDER_WAY and age < LEASE_SECONDS:
            self._under_way.append((call, age))
        elif call.onto == self._onto:
            known = self.done if call.state is State.DONE else self.doubtful
            known.update(self._identities(call.records))
            self.doubtful.update(self._identities(call.left))

    def _identities(self, records: Iterable[tuple[str, str, int | None]]) -> Iterator[Identity]:
        for shard, number, place in records:
            # There are as many of these as were ever put, and few shards.
            yield Identity(self._stream, sys.intern(shard), number, place)

    def _found(self, key: str) -> Call | None:
        try:
            return self._read(key)[0]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None

    def _read(self, key: str) -> tuple[Call, float]:
        """Return a call, and how many seconds ago it was written."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        try:
            return msgspec.json.decode(answer["Body"].read(), type=Call), _age(answer)
        except ValueError as error:
            # To pass over it would be to put again what it remembers.
            raise OpsError(
                f"s3://{self._bucket}/{key} does not say what was put again: {error}; bring it "
                "back, or remove it and accept that its records may be put once more"
            ) from None


def _age(answer: Mapping[str, Any]) -> float:
    """Return the age of an object by the clock of S3: two machines may differ."""
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    age: timedelta = now - answer["LastModified"]
    return age.total_seconds()


def _number(key: str) -> int:
    name = key.rpartition("/")[2].removesuffix(".json")
    return int(name) if name.isdecimal() else 0
