"""Results as a page of tables, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.goals import Target, targets
from benchmarks.results import Growth, Puts, Results, Speed, Way
from benchmarks.stages import STAGES
from benchmarks.starts import REFERENCE
from benchmarks.statistics import Spread

Rows = Iterable[Sequence[str]]


def render(results: Results) -> str:
    """All tables; ratios come first. Spreads are quartiles."""
    return "\n\n".join(_sections(results)) + "\n"


def _sections(results: Results) -> Iterator[str]:
    yield "# Measured"
    yield _about(results)
    yield "## Targets"
    yield table(
        ("target", "wanted", "measured", ""), (_target_row(row) for row in targets(results))
    )
    yield from _speed_sections(results)
    yield "## Where the product's time goes"
    yield "Linear model, without puts: µs a ride by stage and size of batch."
    yield _stages(results)
    yield "## Cold start and memory"
    yield (
        "From the first line of the script to the first prediction, which is put to the instant "
        "stub; the model comes from S3 (moto). Memory after a batch of 1,000 more; in the "
        "reference way, which takes one at a time, after 100."
    )
    yield _starts(results)
    yield from _installed(results)
    yield "## How cost grows"
    yield "Product, batches of 1,000; puts to the stub of 15 ms for shards, none otherwise."
    yield table(("axis", "how many", "µs a ride", "rides/s"), map(_growth_row, results.growth))
    yield _long_run(results)
    yield "## Equality"
    yield table(
        ("model", "served through", "rides", "largest difference from scikit-learn, minutes"),
        (
            (e.model, e.flavor, f"{e.rides:,}", f"{e.largest_difference:.1e}")
            for e in results.equality
        ),
    )


def _about(results: Results) -> str:
    machine = results.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"`{results.command}` on {machine.date}, at commit {machine.commit}, in "
        f"{results.seconds / 60:.0f} minutes. {machine.processor}, {machine.cores} cores, "
        f"{machine.memory_gib} GiB, load average {machine.load:.2f} at the start; {versions}. "
        f"Rides: {results.rides}. Medians, with quartiles in brackets."
    )


def _target_row(target: Target) -> tuple[str, ...]:
    sign = "≥" if target.at_least else "≤"
    wanted = f"{sign} {number(target.bound)}"
    if target.measured is None:
        return target.what, wanted, "not measured", ""
    met = "met" if target.is_met else f"missed by {target.missed_by:.2f} times"
    return target.what, wanted, number(target.measured), met


def _speed_sections(results: Results) -> Iterator[str]:
    for puts in Puts:
        for model in dict.fromkeys(speed.model for speed in results.speeds):
            found = [s for s in results.speeds if (s.puts, s.model) == (puts, model)]
            if found:
                yield f"## {model.capitalize()} model, puts: {puts}"
                yield _times(found)
                yield _costs(found)
                yield from _cut(found)


def _times(speeds: Sequence[Speed]) -> str:
    """Times faster than the reference way."""
    ways = [way for way in _ways(speeds) if way is not Way.REFERENCE]
    floored = any(speed.times_floor for speed in speeds)

    def row(batch: int) -> Iterator[str]:
        at = {speed.way: speed for speed in speeds if speed.batch == batch}
        yield f"{batch:,}"
        yield from (spread(at[way].times_faster) for way in ways)
        if floored:
            yield spread(at[Way.PRODUCT].times_floor)

    headings = [f"{way}: times faster" for way in ways]
    headings += ["product: times the floor"] if floored else []
    return table(("batch", *headings), ([*row(batch)] for batch in _batches(speeds)))


def _costs(speeds: Sequence[Speed]) -> str:
    """Microseconds a ride, and what that makes a second."""
    ways = _ways(speeds)

    def row(batch: int) -> Iterator[str]:
        at = {speed.way: speed for speed in speeds if speed.batch == batch}
        yield f"{batch:,}"
        yield from (spread(at[way].microseconds) for way in ways)
        yield f"{at[Way.PRODUCT].rides_a_second:,.0f}"

    headings = [f"{way}: µs a ride" for way in ways]
    return table(("batch", *headings, "product: rides/s"), ([*row(n)] for n in _batches(speeds)))


def _cut(speeds: Sequence[Speed]) -> Iterator[str]:
    """Which batches were timed in part."""
    cut = [speed for speed in speeds if speed.largest_event < speed.batch]
    if cut:
        parts = [f"{s.way} at {s.batch:,}: {s.largest_event:,} a turn" for s in cut]
        yield f"Timed on a part of each batch, for it goes by the record: {'; '.join(parts)}."


def _ways(speeds: Sequence[Speed]) -> list[Way]:
    found = {speed.way for speed in speeds}
    return [way for way in Way if way in found]


def _batches(speeds: Sequence[Speed]) -> list[int]:
    return sorted({speed.batch for speed in speeds})


def _stages(results: Results) -> str:
    batches = sorted({stage.batch for stage in results.stages})
    took = {(stage.stage, stage.batch): stage.microseconds for stage in results.stages}
    sums = [sum(took[stage, batch].median for stage in STAGES) for batch in batches]
    rows = [
        *((stage, *(spread(took[stage, batch]) for batch in batches)) for stage in STAGES),
        ("sum", *map(number, sums)),
        *(
            (f"and puts to the {puts}", *(_put_cost(results, puts, batch) for batch in batches))
            for puts in (Puts.INSTANT, Puts.LATENT)
        ),
    ]
    return table(("stage", *(f"{batch:,}" for batch in batches)), rows)


def _put_cost(results: Results, puts: Puts, batch: int) -> str:
    """What puts add to a ride: the handler with them, less the handler without."""
    took = {
        speed.puts: speed.microseconds.median
        for speed in results.speeds
        if (speed.model, speed.batch, speed.way) == ("linear", batch, Way.PRODUCT)
    }
    return number(took[puts] - took[Puts.NONE]) if took.keys() >= {puts, Puts.NONE} else ""


def _starts(results: Results) -> str:
    rows = [
        (
            start.what,
            start.model,
            "" if start.what == REFERENCE else spread(start.of_reference),
            spread(start.of_clients),
            spread(start.seconds),
            spread(start.resident_mib),
        )
        for start in results.starts
    ]
    return table(
        ("what", "model", "of the reference's time", "times boto3 and clients", "s", "MiB"), rows
    )


def _installed(results: Results) -> Iterator[str]:
    yield "## Installed size"
    if not results.installed:
        yield "Not measured: the packages were not installed before, and this run installs none."
        return
    yield table(
        ("what", "share", "MiB"),
        ((i.what, number(i.share), f"{i.mib:.0f}") for i in results.installed),
    )


def _growth_row(row: Growth) -> tuple[str, ...]:
    each = row.microseconds
    return row.axis, f"{row.count:,}", spread(each), f"{1e6 / each.median:,.0f}"


def _long_run(results: Results) -> str:
    run = results.long_run
    _, first, *_ = run.resident_mib
    last = run.resident_mib[-1]
    return (
        f"Memory along {run.rides[-1]:,} rides in batches of {run.batch:,}, put to the instant "
        f"stub: {first:.1f} MiB after the first {run.rides[1]:,}, {last:.1f} MiB at the end, "
        f"{max(run.resident_mib):.1f} at most."
    )


def table(headings: Sequence[str], rows: Rows) -> str:
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(found: Spread | None) -> str:
    """Median and quartiles; nothing for none."""
    if found is None:
        return ""
    return f"{number(found.median)} ({number(found.low)} to {number(found.high)})"


def number(value: float) -> str:
    """Three digits, or all before the point."""
    if value and abs(value) < 0.001:  # noqa: PLR2004 - where zeros get hard to count
        return f"{value:.2g}"
    digits = max(0, 3 - len(f"{abs(value):.0f}")) if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
