"""Lists, shows and puts again what a failures bucket holds."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, overload

from botocore.exceptions import ClientError

from cli.terminal import OpsError, Progress
from ops.redrive.failures import Failure, FailureStore, place_of
from ops.redrive.fixup import load_fix
from ops.redrive.order import in_order
from ops.redrive.put_log import Memory
from ops.redrive.resend import Resender
from ops.redrive.resend_plan import Plan
from ops.redrive.selection import Selection, Watch, selected
from ops.redrive.table import each, shown, table
from streams.writer import StreamWriter

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client


class Connect(Protocol):
    """Makes a client of a service."""

    @overload
    def __call__(self, service: Literal["kinesis"], /) -> "KinesisClient": ...
    @overload
    def __call__(self, service: Literal["s3"], /) -> "S3Client": ...


class Redrive:
    """The commands, on one failures bucket.

    Args:
        connect: Makes a client of a service.
        bucket: Name of the bucket.
        progress: Shows how much of the bucket is read.
        report: Is told what goes wrong, in one line each.
        onto: The stream that records are put onto; empty is the one that each was on.
    """

    def __init__(
        self,
        connect: Connect,
        bucket: str,
        progress: Progress,
        report: Callable[[str], None],
        onto: str = "",
    ) -> None:
        self._connect = connect
        self._bucket = bucket
        self._progress = progress
        self._report = report
        self._onto = onto
        self._s3 = connect("s3")
        self._store = FailureStore(self._s3, bucket, report)
        self._memories: dict[str, Memory] = {}

    def lines(self, selection: Selection, *, one_by_one: bool) -> Iterator[str]:
        """The table of the failures that are meant, or a line for each."""
        if one_by_one:
            # A bar would be in the way of the lines.
            return each(selected(self._store, selection, lambda *_: None), self._is_done)
        failures = self._watched(partial(selected, self._store, selection))
        return table(failures, self._is_done)

    def what_there_is(self) -> str:
        """All that could have been meant, for whom nothing matched."""
        failures = self._watched(partial(selected, self._store, Selection()))
        values = [
            (f.source.stream, f.kind, f.reason, f"{f.model}/{f.version}", f.source.shard)
            for f in failures
        ]
        if not values:
            return f"there is nothing in s3://{self._bucket}: no rejection, and no batch"
        options = ("--stream", "--kind", "--reason", "--model", "--shard")
        found = (
            f"{option} {', '.join(sorted(set(column)))}"
            for option, column in zip(options, zip(*values, strict=True), strict=True)
        )
        return f"nothing matches; in s3://{self._bucket} there are {'; '.join(found)}"

    def show(self, where: str, index: int, selection: Selection) -> str:
        """The failure at a position, or in an object, in full.

        Args:
            where: `shard:sequence number[.place]`, or the key of an object.
            index: Its place in that object.
            selection: Filters; two models may have rejected the record.

        Raises:
            OpsError: There is none.
        """
        found = list(
            self._at_key(where, index) if "/" in where else self._at_position(where, selection)
        )
        if not found:
            raise OpsError(
                f"there is no failure {where!r} in s3://{self._bucket}; it must be "
                "shard:sequence number, as 'list --each' prints it, or the key of an object and "
                "a place in it"
            )
        texts = [shown(f, put_again=self._is_done(f)) for f in found]
        return "\n\n".join(texts)

    def put(self, selection: Selection, *, fix: str, really: bool) -> Plan:
        """Put what is meant of one stream, or only find out what that would be.

        Raises:
            OpsError: Another put is under way, or the stream does not take all.
        """
        function = load_fix(fix) if fix else None
        stream = str(selection.stream)
        memory, onto = self._memory(stream), self._onto or stream
        kinesis = self._connect("kinesis")
        plan = Plan(memory, function, max_record_bytes(kinesis, onto), self._report)
        failures = self._watched(partial(in_order, self._store, selection))
        records = plan.records(failures)
        if really:
            memory.require_free()
            Resender(StreamWriter(kinesis, onto), onto, memory).put(records)
        else:
            for _ in records:
                pass
        return plan

    def _watched(self, read: Callable[[Watch], Iterable[Failure]]) -> Iterator[Failure]:
        def watch(done: float, total: float) -> None:
            self._progress.show(done, total, f"{count} failures")

        count = 0
        for count, failure in enumerate(read(watch), start=1):  # noqa: B007 - the bar's
            yield failure
        self._progress.clear()

    def _at_key(self, key: str, index: int) -> Iterator[Failure]:
        place = place_of(key)
        if place is None:
            return
        try:
            yield from self._store.read(place)[index : index + 1]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise

    def _at_position(self, position: str, selection: Selection) -> Iterator[Failure]:
        shard, _, rest = position.partition(":")
        number = rest.partition(".")[0]
        if not number.isdecimal():
            return
        for place in self._store.places(selection.kind):
            if place.shard == shard and place.spans(int(number)):
                for failure in self._store.read(place):
                    if selection.takes(failure) and failure.identity.is_at(position):
                        yield failure

    def _is_done(self, failure: Failure) -> bool:
        identity = failure.identity
        return self._memory(identity.stream).has_put(identity)

    def _memory(self, stream: str) -> Memory:
        if stream not in self._memories:
            onto = self._onto or stream
            self._memories[stream] = Memory(self._s3, self._bucket, stream, onto)
        return self._memories[stream]


def max_record_bytes(kinesis: "KinesisClient", stream: str) -> int:
    """Most bytes of data and key that a stream takes in a record.

    Raises:
        OpsError: There is no such stream.
    """
    try:
        summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise OpsError(
            f"there is no stream {stream!r} in {kinesis.meta.region_name}; check --stream and "
            "--onto, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL"
        ) from None
    # 1 MiB, unless the stream is set to more (API reference, StreamDescriptionSummary).
    return summary.get("MaxRecordSizeInKiB", 1024) * 1024
