"""Results as a page of tables, in Markdown."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks import installed
from benchmarks.results import Puts, Results, Speed, Spread, Start, Way
from benchmarks.starts import PRODUCT, REFERENCE


def render(results: Results) -> str:
    """Return all tables; ratios come first."""
    return "\n\n".join(_sections(results)) + "\n"


def _sections(results: Results) -> Iterator[str]:
    yield "# Measured"
    yield results.about
    yield "## Targets"
    yield table(("target", "wanted", "measured", ""), _targets(results))
    yield from _speed_sections(results.speeds)
    yield "## Cold start and memory"
    yield (
        "From the first line of the script to the first prediction, which is put to the instant "
        "stub; the model is loaded from S3 (moto). Memory is measured after 1,000 more rides; in "
        "the reference way, after 100."
    )
    yield table(
        ("what", "model", "of the reference's time", "times boto3 and clients", "s", "MiB"),
        map(_start_row, results.starts),
    )
    yield "## Installed size"
    yield _installed(results.installed_mib)


def _targets(results: Results) -> Iterator[tuple[str, ...]]:
    speeds = {(s.model, s.puts, s.batch): s for s in results.speeds if s.way is Way.PRODUCT}
    for cell, times in _TIMES_FASTER.items():
        yield _target(f"{_named(*cell)}: times faster", "≥", times, speeds[cell].times_faster)
    near = speeds["linear", Puts.NONE, 1000]
    what = f"{_named(near.model, near.puts, near.batch)}: times the floor"
    yield _target(what, "≤", 2, near.times_floor)
    (start,) = (s for s in results.starts if (s.what, s.model) == (PRODUCT, "linear"))
    what = "cold start of the linear model"
    yield _target(f"{what}: share of the reference's time", "≤", 0.2, start.of_reference)
    yield _target(f"{what}: times boto3 and two clients", "≤", 1.7, start.of_clients)
    yield _target(f"{what}: resident memory, MiB", "≤", 110, start.resident_mib)
    shares = _shares(results.installed_mib)
    for what, share in ((installed.ALL, 0.5), (installed.ONNX, 0.25)):
        yield _target(f"{what}: share of {installed.REFERENCE}", "≤", share, shares.get(what))
    what = "largest difference of a twin from scikit-learn, minutes"
    yield _target(what, "≤", 1e-4, results.largest_difference)


_TIMES_FASTER = {
    ("linear", Puts.NONE, 100): 100,
    ("linear", Puts.NONE, 1000): 150,
    ("linear", Puts.INSTANT, 500): 100,
    ("linear", Puts.LATENT, 5000): 200,
    ("forest", Puts.NONE, 100): 500,
}


def _named(model: str, puts: Puts, batch: int) -> str:
    return f"{model} model, puts: {puts}, batches of {batch:,}"


def _target(what: str, sign: str, bound: float, measured: Spread | float | None) -> tuple[str, ...]:
    if measured is None:
        return what, f"{sign} {number(bound)}", "not measured", ""
    value = measured.median if isinstance(measured, Spread) else measured
    is_met = value >= bound if sign == "≥" else value <= bound
    return what, f"{sign} {number(bound)}", number(value), "met" if is_met else "missed"


def _speed_sections(speeds: Sequence[Speed]) -> Iterator[str]:
    for puts in Puts:
        for model in dict.fromkeys(speed.model for speed in speeds):
            found = [s for s in speeds if (s.puts, s.model) == (puts, model)]
            if found:
                yield f"## {model.capitalize()} model, puts: {puts}"
                yield _times(found)
                yield _costs(found)


def _times(speeds: Sequence[Speed]) -> str:
    """Return how much faster than the reference each way is."""
    ways = [way for way in _ways(speeds) if way is not Way.REFERENCE]
    headings = [f"{way}: times faster" for way in ways]
    rows = [
        (f"{batch:,}", *(spread(at[way].times_faster) for way in ways))
        + ((spread(at[Way.PRODUCT].times_floor),) if Way.FLOOR in ways else ())
        for batch, at in _by_batch(speeds)
    ]
    floor = ("product: times the floor",) if Way.FLOOR in ways else ()
    return table(("batch", *headings, *floor), rows)


def _costs(speeds: Sequence[Speed]) -> str:
    """Return microseconds for a ride, and rides a second."""
    ways = _ways(speeds)
    headings = [f"{way}: µs a ride" for way in ways]
    rows = [
        (
            f"{batch:,}",
            *(spread(at[way].microseconds) for way in ways),
            f"{1e6 / at[Way.PRODUCT].microseconds.median:,.0f}",
        )
        for batch, at in _by_batch(speeds)
    ]
    return table(("batch", *headings, "product: rides/s"), rows)


def _ways(speeds: Sequence[Speed]) -> list[Way]:
    found = {speed.way for speed in speeds}
    return [way for way in Way if way in found]


def _by_batch(speeds: Sequence[Speed]) -> Iterator[tuple[int, Mapping[Way, Speed]]]:
    for batch in sorted({speed.batch for speed in speeds}):
        yield batch, {speed.way: speed for speed in speeds if speed.batch == batch}


def _start_row(start: Start) -> tuple[str, ...]:
    return (
        start.what,
        start.model,
        "" if start.what == REFERENCE else spread(start.of_reference),
        spread(start.of_clients),
        spread(start.seconds),
        spread(start.resident_mib),
    )


def _shares(mib: Mapping[str, float]) -> dict[str, float]:
    return {what: size / mib[installed.REFERENCE] for what, size in mib.items()}


def _installed(mib: Mapping[str, float]) -> str:
    if not mib:
        return "Not measured: the packages were not installed before, and this run installs none."
    shares = _shares(mib)
    rows = [(what, number(shares[what]), f"{size:.0f}") for what, size in mib.items()]
    return table(("what", "share", "MiB"), rows)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(found: Spread | None) -> str:
    """Format median and quartiles; nothing for None."""
    if found is None:
        return ""
    return f"{number(found.median)} ({number(found.low)} to {number(found.high)})"


def number(value: float) -> str:
    """Format with three digits, or with all digits before the point."""
    if value and abs(value) < 0.001:  # noqa: PLR2004 - where zeros get hard to count
        return f"{value:.2g}"
    digits = max(0, 3 - len(f"{abs(value):.0f}")) if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
