"""Results as pictures."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.results import Puts, Results, Start, Way
from benchmarks.stages import STAGES
from benchmarks.statistics import Spread

_INCHES = (7.0, 4.2)
_DPI = 110
# The same way has the same colour everywhere.
_COLOURS: Mapping[Way, Any] = dict(zip(Way, mpl.color_sequences["tab10"], strict=False))


def draw(results: Results, folder: Path) -> list[Path]:
    """Write every plot into a folder; gives the files."""
    plots: dict[str, Callable[[Axes], object]] = {
        "stages": lambda axes: _stages(axes, results),
        "cold-start": lambda axes: _starts(axes, results, lambda start: start.seconds, "s"),
        "memory": lambda axes: _starts(axes, results, lambda start: start.resident_mib, "MiB"),
        "long-run": lambda axes: _long_run(axes, results),
    }
    for axis in dict.fromkeys(row.axis for row in results.growth):
        plots[f"growth-{axis.replace(' ', '-')}"] = _growth(results, axis)
    for model, puts in dict.fromkeys((speed.model, speed.puts) for speed in results.speeds):
        plots[f"speed-{model}-puts-{puts.replace(' ', '-')}"] = _speed(results, model, puts)
    return [_save(folder / f"{name}.png", plot) for name, plot in plots.items()]


def _save(path: Path, plot: Callable[[Axes], object]) -> Path:
    figure = Figure(_INCHES, dpi=_DPI, layout="constrained")
    plot(figure.add_subplot())
    figure.savefig(path, metadata={"Software": None})  # the same results, the same file
    return path


def _speed(results: Results, model: str, puts: Puts) -> Callable[[Axes], object]:
    speeds = [s for s in results.speeds if (s.model, s.puts) == (model, puts)]

    def plot(axes: Axes) -> None:
        for way in dict.fromkeys(speed.way for speed in speeds):
            mine = [speed for speed in speeds if speed.way is way]
            _line(axes, [s.batch for s in mine], [s.microseconds for s in mine], way)
        axes.set(xlabel="rides in a batch", title=f"{model} model, puts: {puts}")
        _logarithmic(axes)

    return plot


def _growth(results: Results, axis: str) -> Callable[[Axes], object]:
    rows = [row for row in results.growth if row.axis == axis]

    def plot(axes: Axes) -> None:
        _line(axes, [r.count for r in rows], [r.microseconds for r in rows], Way.PRODUCT)
        axes.set(xlabel=axis, title=f"cost by {axis}, batches of 1,000")
        _logarithmic(axes)

    return plot


def _line(axes: Axes, places: Sequence[int], costs: Sequence[Spread], way: Way) -> None:
    axes.plot(places, [cost.median for cost in costs], "o-", label=way, color=_COLOURS[way])
    low, high = [cost.low for cost in costs], [cost.high for cost in costs]
    axes.fill_between(places, low, high, alpha=0.2, color=_COLOURS[way])


def _logarithmic(axes: Axes) -> None:
    axes.set(xscale="log", yscale="log", ylabel="µs a ride")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize="small")


def _stages(axes: Axes, results: Results) -> None:
    batches = sorted({stage.batch for stage in results.stages if stage.batch > 1})
    floor = [0.0] * len(batches)
    for name in STAGES:
        took = {s.batch: max(0.0, s.microseconds.median) for s in results.stages if s.stage == name}
        heights = [took[batch] for batch in batches]
        axes.bar([f"{batch:,}" for batch in batches], heights, bottom=floor, label=name)
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set(xlabel="rides in a batch", ylabel="µs a ride", title="where the product's time goes")
    axes.legend(fontsize="small")


def _starts(axes: Axes, results: Results, of: Callable[[Start], Spread], unit: str) -> None:
    spreads = [of(start) for start in results.starts]
    names = [f"{start.what}\n{start.model}".strip() for start in results.starts]
    low = [found.median - found.low for found in spreads]
    high = [found.high - found.median for found in spreads]
    axes.barh(names, [found.median for found in spreads], xerr=[low, high])
    axes.set(xlabel=unit, title="to the first prediction" if unit == "s" else "resident memory")
    axes.tick_params(axis="y", labelsize="x-small")
    axes.invert_yaxis()


def _long_run(axes: Axes, results: Results) -> None:
    run = results.long_run
    axes.plot(run.rides, run.resident_mib, "o-")
    axes.set(xlabel="rides", ylabel="MiB", title="resident memory along a long run")
    axes.set_ylim(bottom=0, top=1.1 * max(run.resident_mib))
