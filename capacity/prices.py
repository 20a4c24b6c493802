"""Prices, limits and measurements, each with its source, as a file has them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import inf
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from capacity.capacity_errors import CapacityError

PRICES = Path(__file__).parent / "prices.toml"

# So many units at a price, then the next ones at the next price.
Tiers = Sequence[tuple[float, float]]

# A price may be 0; what others are divided by may not.
_DIVISORS = (
    *("put_unit_bytes", "gigabyte_bytes", "rounding_bytes", "shard_bytes", "shard_records"),
    *("shard_read_bytes", "call_entries", "call_bytes", "environment_hours", "core_mb"),
    *("payload_bytes", "timeout_seconds", "fill", "hours"),
    *("write_unit_bytes", "read_unit_bytes", "sweep_seconds"),
)


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where figures are from.

    Attributes:
        url: A page, or a file of this project.
        date: When it was read or measured.
        confirmed: What of it was seen, and what is to be checked.
    """

    url: str
    date: date
    confirmed: str


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """One number, or the tiers of a price, and what it is."""

    unit: str
    source: str
    value: float | None = None
    tiers: Tiers | None = None


class Kinesis(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of provisioned streams, and the limits of all. The file has the units."""

    shard_hour: float
    put_units_million: float
    put_unit_bytes: float
    extended_shard_hour: float
    long_term_gb_month: float
    fan_out_shard_hour: float
    fan_out_gb: float
    gigabyte_bytes: float
    rounding_bytes: float
    shard_bytes: float
    shard_records: float
    shard_read_bytes: float
    shard_reads: float
    record_bytes: float
    shards: float
    resharding: float
    call_entries: float
    call_bytes: float


class OnDemand(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of on-demand streams."""

    stream_hour: float
    in_gb: float
    out_gb: float
    fan_out_gb: float
    extended_gb_month: float
    least_bytes: float


class OnDemandScaling(Struct, frozen=True, forbid_unknown_fields=True):
    """How on-demand streams grow, and how far."""

    least_shards: float
    room: float
    stream_bytes: float
    stream_read_bytes: float


class Lambda(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices and limits of functions and their event source mappings."""

    requests_million: float
    x86_gb_seconds: Tiers
    arm_gb_seconds: Tiers
    environment_hours: float
    init_billed: float
    core_mb: float
    concurrency: float
    payload_bytes: float
    record_overhead_bytes: float
    key_growth: float
    poll_seconds: float
    timeout_seconds: float


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices and units of an on-demand DynamoDB table, and how it is used."""

    write_units_million: float
    read_units_million: float
    gb_month: float
    write_unit_bytes: float
    read_unit_bytes: float
    item_bytes: float
    keep_hours: float
    sweep_seconds: float


class Operation(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of logs, metrics, alarms, traces and rejections, and how many there are."""

    log_gb: Tiers
    metric_month: float
    alarm_month: float
    dashboard_month: float
    traces_million: float
    traces_first: float
    traces_share: float
    puts_thousand: float
    alarms: float
    dashboards: float
    metrics: float
    decision_alarms: float
    decision_dashboards: float
    decision_metrics: float


class Aggregation(Struct, frozen=True, forbid_unknown_fields=True):
    """What the KPL's format adds to the data."""

    record_bytes: float
    user_record_bytes: float
    packed_record_bytes: float
    packed_user_record_bytes: float
    group_key_bytes: float


class Defaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What a scenario has unless an option says otherwise."""

    ride_bytes: float
    prediction_bytes: float
    key_bytes: float
    ride_us: float
    pack_us: float
    entry_us: float
    invocation_ms: float
    put_ms: float
    write_us: float
    table_ms: float
    case_bytes: float
    case_prediction_bytes: float
    case_decision_bytes: float
    decision_bytes: float
    decision_prediction_bytes: float
    base_mb: float
    ride_kb: float
    init_seconds: float
    log_bytes: float
    rejected_share: float
    buffer_seconds: float
    fill: float
    hours: float


class Prices(Struct, frozen=True, forbid_unknown_fields=True, rename={"functions": "lambda"}):
    """All figures of a file, by what they are of."""

    region: str
    kinesis: Kinesis
    on_demand: OnDemand
    on_demand_advantage: OnDemand
    on_demand_scaling: OnDemandScaling
    functions: Lambda
    table: Table
    operation: Operation
    aggregation: Aggregation
    defaults: Defaults


class Catalogue(Struct, frozen=True):
    """A file of prices: the numbers, and where they are from.

    Attributes:
        prices: The numbers.
        figures: By section and name, what each is, and its source.
        sources: By the name that figures have for them.
    """

    prices: Prices
    figures: Mapping[str, Mapping[str, Figure]]
    sources: Mapping[str, Source]

    def lines(self) -> Iterator[str]:
        """Every figure with its unit, source and date, then what was confirmed of each source."""
        for section, figures in self.figures.items():
            for name, figure in figures.items():
                source = self.sources[figure.source]
                yield (
                    f"{section}.{name} = {_written(figure)} {figure.unit} "
                    f"[{figure.source}, {source.date}]"
                )
        for name, source in self.sources.items():
            yield f"[{name}] {source.url} ({source.date}): {source.confirmed}"


def read(path: Path = PRICES) -> Catalogue:
    """Read a file of prices.

    Raises:
        CapacityError: It cannot be read, or a figure is missing, unknown, no number >= 0, or
            without its source.
    """
    try:
        content = tomllib.loads(path.read_text())
        return _catalogue(content)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise CapacityError(
            f"--prices {str(path)!r} cannot be used: {error}; it must be a copy of "
            f"capacity/{PRICES.name} with other numbers"
        ) from None


def _catalogue(content: dict[str, Any]) -> Catalogue:
    sources = msgspec.convert(content.pop("sources", {}), dict[str, Source])
    sections = {name: part for name, part in content.items() if isinstance(part, dict)}
    figures = msgspec.convert(sections, dict[str, dict[str, Figure]])
    numbers = {
        section: {
            name: _number(f"{section}.{name}", figure, sources) for name, figure in part.items()
        }
        for section, part in figures.items()
    }
    return Catalogue(msgspec.convert(content | numbers, Prices), figures, sources)


def _number(place: str, figure: Figure, sources: Mapping[str, Source]) -> float | Tiers:
    if figure.source not in sources:
        raise ValueError(
            f"{place} has the source {figure.source!r}; it must be one of {', '.join(sources)}"
        )
    if figure.tiers is not None and figure.value is None:
        return _tiers(place, figure.tiers)
    if figure.value is None or figure.tiers is not None:
        raise ValueError(f"{place} must have one of value and tiers")
    divides = place.rpartition(".")[2] in _DIVISORS
    if not 0 <= figure.value < inf or (divides and not figure.value):
        raise ValueError(
            f"{place} is {figure.value:g}; it must be {'over' if divides else 'at least'} 0"
        )
    return figure.value


def _tiers(place: str, tiers: Tiers) -> Tiers:
    if not tiers or tiers[-1][0] != inf or not all(u >= 0 and 0 <= p < inf for u, p in tiers):
        raise ValueError(
            f"{place} is {tiers!r}; it must be pairs of units and a price, both at least 0, and "
            "the last with inf units"
        )
    return tiers


def _written(figure: Figure) -> str:
    if figure.tiers is None:
        return f"{figure.value:.10g}"
    return ", ".join(f"{units:g} at {price:.10g}" for units, price in figure.tiers)
