"""Results as pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.results import Results, Speed, Spread, Start, Way

# A way has the same colour in every plot.
_COLOURS: dict[Way, Any] = dict(zip(Way, mpl.color_sequences["tab10"], strict=False))


def draw(results: Results, folder: Path) -> list[Path]:
    """Write every plot into a folder, and return the files."""
    plots: dict[str, Callable[[Axes], object]] = {
        "cold-start": lambda axes: _starts(axes, results, lambda start: start.seconds, "s"),
        "memory": lambda axes: _starts(axes, results, lambda start: start.resident_mib, "MiB"),
    }
    for model, puts in dict.fromkeys((speed.model, speed.puts) for speed in results.speeds):
        found = [speed for speed in results.speeds if (speed.model, speed.puts) == (model, puts)]
        plots[f"speed-{model}-puts-{puts.replace(' ', '-')}"] = _speed(found)
    return [_save(folder / f"{name}.png", plot) for name, plot in plots.items()]


def _save(path: Path, plot: Callable[[Axes], object]) -> Path:
    figure = Figure((7.0, 4.2), dpi=110, layout="constrained")
    plot(figure.add_subplot())
    figure.savefig(path, metadata={"Software": None})  # equal results give equal files
    return path


def _speed(speeds: Sequence[Speed]) -> Callable[[Axes], object]:
    def plot(axes: Axes) -> None:
        for way in dict.fromkeys(speed.way for speed in speeds):
            batches, costs = zip(
                *((s.batch, s.microseconds) for s in speeds if s.way is way), strict=True
            )
            axes.plot(
                batches, [cost.median for cost in costs], "o-", label=way, color=_COLOURS[way]
            )
            low, high = [cost.low for cost in costs], [cost.high for cost in costs]
            axes.fill_between(batches, low, high, alpha=0.2, color=_COLOURS[way])
        axes.set(xscale="log", yscale="log", xlabel="rides in a batch", ylabel="µs a ride")
        axes.set_title(f"{speeds[0].model} model, puts: {speeds[0].puts}")
        axes.grid(visible=True, which="both", alpha=0.25)
        axes.legend(fontsize="small")

    return plot


def _starts(axes: Axes, results: Results, of: Callable[[Start], Spread], unit: str) -> None:
    spreads = [of(start) for start in results.starts]
    names = [f"{start.what}\n{start.model}".strip() for start in results.starts]
    low = [found.median - found.low for found in spreads]
    high = [found.high - found.median for found in spreads]
    axes.barh(names, [found.median for found in spreads], xerr=[low, high])
    axes.set(xlabel=unit, title="to the first prediction" if unit == "s" else "resident memory")
    axes.tick_params(axis="y", labelsize="x-small")
    axes.invert_yaxis()
