"""Failures as a table, and one of them as text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cli.moments import day, written
from ops.redrive.failures import Failure

HEADINGS = (
    *("KIND", "REASON", "MODEL", "VERSION", "STREAM", "SHARD", "DAY", "FROM", "TO"),
    *("FAILED", "PUT AGAIN"),
)
NUMBERS = ("FAILED", "PUT AGAIN")


@dataclass(slots=True)
class _Group:
    """Failures that are alike; times are in seconds since the epoch."""

    first: float
    last: float
    failed: int = 0
    put_again: int = 0

    def take(self, time: float, *, put_again: bool) -> None:
        self.first, self.last = min(self.first, time), max(self.last, time)
        self.failed += 1
        self.put_again += put_again


IsDone = Callable[[Failure], bool]


def table(failures: Iterable[Failure], is_done: IsDone) -> Iterator[str]:
    """The lines of a table of the failures that are alike, by day of arrival in UTC.

    Args:
        failures: What failed.
        is_done: Whether a failure's record was put again.
    """
    groups: dict[tuple[str, ...], _Group] = {}
    for failure in failures:
        source = failure.source
        kinds = (failure.kind, failure.reason, failure.model, failure.version)
        alike = (*kinds, source.stream, source.shard, day(source.arrival_time))
        group = groups.setdefault(alike, _Group(source.arrival_time, source.arrival_time))
        group.take(source.arrival_time, put_again=is_done(failure))
    rows = [
        (*alike, _clock(g.first), _clock(g.last), str(g.failed), str(g.put_again))
        for alike, g in sorted(groups.items())
    ]
    return _aligned([HEADINGS, *rows])


def each(failures: Iterable[Failure], is_done: IsDone) -> Iterator[str]:
    """A line for each failure: arrival, position, who gave it up, why, and what became of it."""
    for failure in failures:
        by = f"{failure.model}/{failure.version}"
        again = "put again  " if is_done(failure) else ""
        yield "  ".join(
            (
                written(failure.source.arrival_time),
                failure.identity.position,
                by,
                failure.reason,
                again + _printable(failure.detail),
            )
        )


def shown(failure: Failure, *, put_again: bool) -> str:
    """A failure in full, with its payload at the end."""
    source = failure.source
    fields = {
        "object": f"{failure.key} {failure.index}",
        "kind": failure.kind,
        "reason": failure.reason,
        "detail": failure.detail,
        "by": f"{failure.model}/{failure.version}",
        "stream": source.stream,
        "position": failure.identity.position,
        "key": source.partition_key,
        "arrived": written(source.arrival_time),
        "put again": "yes" if put_again else "no",
    }
    lines = [f"{name:10}{_printable(value)}" for name, value in fields.items()]
    return "\n".join([*lines, f"{'data':10}{_payload(failure)}"])


def _payload(failure: Failure) -> str:
    try:
        payload = failure.payload
    except ValueError:
        return f"{_printable(failure.data)} (this is not base64)"
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return repr(payload)
    # Lines are harmless at the end of all.
    return text.rstrip("\n") if text.replace("\n", "").isprintable() else repr(text)


def _printable(text: str) -> str:
    # A record must not be able to write to whoever's terminal shows it.
    return text if text.isprintable() else repr(text)


def _clock(seconds: float) -> str:
    return written(seconds)[11:19]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if name in NUMBERS else cell.ljust(width)
            for name, cell, width in zip(HEADINGS, row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()
