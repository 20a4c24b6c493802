"""Tables as plain text."""

from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, each column to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def count(number: float) -> str:
    """A number with commas, and a fraction only if it has one."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,}"
