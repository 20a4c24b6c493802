"""What was put again, remembered next to the failures.

Every call of a put has an object of its own, `redriven/<stream>/<number>.json`. It is written
before the call, only if no other put has that number ("Conditional writes", Amazon S3 User Guide),
and written again after it. So two puts at a time cannot put the same record, and of a put that died
it is known which records, those of one call, may be on the stream and may be not.
"""

import os
import socket
import time
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from msgspec import Struct

from ops.errors import OpsError
from ops.moments import written
from ops.redrive.failures import Identity, listed

PREFIX = "redriven"
# Longer than a call can take, all its retries included (`resend.PATIENCE_SECONDS`,
# `__main__.connected`).
LEASE_SECONDS = 180.0


class State(StrEnum):
    """How far a call is."""

    UNDER_WAY = "under_way"
    DONE = "done"
    CUT_OFF = "cut_off"


class Call(Struct, frozen=True):
    """A call of a put.

    `records` are shard, sequence number and place of each; once it is done, those that the stream
    took. `began` is in seconds since the epoch.
    """

    state: State
    began: float
    by: str
    onto: str
    records: list[tuple[str, str, int | None]]


class Memory:
    """What was put again of one source stream.

    Args:
        s3: boto3's S3 client.
        bucket: The failures bucket.
        stream: The stream that the records were on first.
        now: Seconds since the epoch.

    Attributes:
        done: What was put again.
        doubtful: What may have been: its put was cut off.
    """

    def __init__(
        self, s3: Any, bucket: str, stream: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stream = stream
        self._now = now
        self._last = 0
        self._under_way: list[Call] = []
        self.done: set[Identity] = set()
        self.doubtful: set[Identity] = set()
        self._load()

    def has_put(self, identity: Identity) -> bool:
        """Whether a record was put again, by itself or with the whole record that it is of."""
        return not self.done.isdisjoint((identity, identity.whole))

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

    def begin(self, identities: Collection[Identity], onto: str) -> tuple[str, Call]:
        """Note that these are about to be put; answer with what `end` needs.

        Raises:
            OpsError: Another put began at the same time; nothing is to be put.
        """
        self._last += 1
        key = f"{PREFIX}/{self._stream}/{self._last:08}.json"
        records = [identity[1:] for identity in identities]
        by = f"process {os.getpid()} on {socket.gethostname()}"
        call = Call(State.UNDER_WAY, self._now(), by, onto, records)
        try:
            self._write(key, call, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in (
                "PreconditionFailed",
                "ConditionalRequestConflict",
            ):
                raise
            raise OpsError(
                "another put has begun meanwhile; run this one again when that has ended: what "
                "either has put is not put again"
            ) from None
        return key, call

    def end(self, begun: tuple[str, Call], state: State, taken: Iterable[Identity] = ()) -> None:
        """Note how a call ended, and which records the stream took if it is done."""
        key, call = begun
        identities = list(taken)
        if state is State.DONE:
            records = [identity[1:] for identity in identities]
            call = msgspec.structs.replace(call, records=records)
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
        identities = {Identity(self._stream, *record) for record in call.records}
        if call.state is State.DONE:
            self.done |= identities
        elif call.state is State.UNDER_WAY and self._now() < call.began + LEASE_SECONDS:
            self._under_way.append(call)
        else:
            self.doubtful |= identities

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
