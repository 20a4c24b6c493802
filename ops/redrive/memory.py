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
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import StrEnum

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from ops.errors import OpsError
from ops.moments import written
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
    took, and `left` those that it did not take, or not for certain. `began` is in seconds since the
    epoch. `token` tells a call from all others.
    """

    state: State
    began: float
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
        now: Seconds since the epoch.

    Attributes:
        done: What was put again.
        doubtful: What may have been: its put was cut off, or the stream did not answer.
    """

    def __init__(
        self,
        s3: BucketClient,
        bucket: str,
        stream: str,
        onto: str,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stream = stream
        self._onto = onto
        self._now = now
        self._last = 0
        self._under_way: list[Call] = []
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
        for call in self._under_way:
            raise OpsError(
                f"another put, by {call.by}, is under way since {written(call.began)}; wait until "
                f"it ends, or, if it died, until {written(call.began + LEASE_SECONDS)}"
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
        call = Call(State.UNDER_WAY, self._now(), by, self._onto, records, token)
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
            self._take(self._read(entry["Key"]))
        self.doubtful -= self.done

    def _take(self, call: Call) -> None:
        if call.state is State.UNDER_WAY and self._now() < call.began + LEASE_SECONDS:
            self._under_way.append(call)
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
            return self._read(key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None

    def _read(self, key: str) -> Call:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        try:
            return msgspec.json.decode(body, type=Call)
        except ValueError as error:
            # To pass over it would be to put again what it remembers.
            raise OpsError(
                f"s3://{self._bucket}/{key} does not say what was put again: {error}; bring it "
                "back, or remove it and accept that its records may be put once more"
            ) from None


def _number(key: str) -> int:
    name = key.rpartition("/")[2].removesuffix(".json")
    return int(name) if name.isdecimal() else 0
