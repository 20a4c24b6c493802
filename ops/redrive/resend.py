"""Puts planned records onto a stream, a call at a time, and remembers each call."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.terminal import OpsError
from ops.redrive.failures import Identity
from ops.redrive.put_log import Memory, State
from ops.redrive.resend_plan import Planned
from streams.deadline import Deadline
from streams.writer import MAX_CALL_BYTES, MAX_CALL_ENTRIES, Writer

# How long a call's refused records are sent again; with `put_log.LEASE_SECONDS` in mind.
PATIENCE_SECONDS = 60.0
# Those of one key go one after the other: so many have time enough on a line around the world.
MAX_OF_A_KEY = 100


class Resender:
    """Puts records, and remembers which of them the stream took.

    A put that is killed between a call and remembering it leaves at most this call's records in
    doubt; the next put puts them again. So it does with those that the stream did not take, or not
    for certain: a call may fail without an answer.

    Args:
        stream: Takes entries; sends refused ones again.
        onto: Name of that stream.
        memory: Remembers what was put onto it.
        deadline: How long a call may take.
    """

    def __init__(
        self,
        stream: Writer[Identity],
        onto: str,
        memory: Memory,
        *,
        deadline: Callable[[], Deadline] = lambda: Deadline(PATIENCE_SECONDS),
    ) -> None:
        self._stream = stream
        self._onto = onto
        self._memory = memory
        self._deadline = deadline

    def put(self, records: Iterable[Planned]) -> None:
        """Put the records, in their order.

        Raises:
            OpsError: The stream does not take all, or it cannot be remembered what it took.
        """
        before = 0
        for call in calls(records):
            taken = self._put_call(call)
            if taken < len(call):
                # A later record of a key must not overtake the one that is left.
                raise OpsError(
                    f"{self._onto} took {taken} of {len(call)} records, and {before} "
                    "before them; put again when it takes records: those are not put twice"
                )
            before += taken

    def _put_call(self, call: list[Planned]) -> int:
        begun = self._memory.begin([entry.token for entry in call])
        try:
            left = {entry.token for entry in self._stream.put(call, self._deadline())}
        except BaseException:
            self._memory.end(begun, State.CUT_OFF)
            raise
        taken = [entry.token for entry in call if entry.token not in left]
        try:
            self._memory.end(begun, State.DONE, taken)
        except (ClientError, BotoCoreError) as error:
            raise OpsError(
                f"{self._onto} took {len(taken)} records, which cannot be remembered in the "
                f"failures bucket: {error}; the next put puts them again"
            ) from None
        return len(taken)


def calls(records: Iterable[Planned]) -> Iterator[list[Planned]]:
    """The records in portions that one PutRecords call takes, and few of them of any one key."""
    call: list[Planned] = []
    size, of_key = 0, Counter[str]()
    for entry in records:
        full = len(call) == MAX_CALL_ENTRIES or of_key[entry.partition_key] == MAX_OF_A_KEY
        if call and (full or size + entry.size > MAX_CALL_BYTES):
            yield call
            call, size, of_key = [], 0, Counter()
        call.append(entry)
        size += entry.size
        of_key[entry.partition_key] += 1
    if call:
        yield call
