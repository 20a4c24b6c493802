"""Records on streams: how many there are, how large they are, and the shards that they need."""

from dataclasses import dataclass
from math import ceil, log, sqrt
from statistics import NormalDist

from capacity.prices import Prices
from capacity.scenario import Mode, Scenario
from streams.packed_writer import GROUPS, MAX_PACKED_BYTES

# One value in 10^15 of a normal distribution is farther from the mean.
_FARTHEST_DEVIATIONS = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """Records of similar size.

    Attributes:
        records: Records a second, or of a batch.
        events: Rides or predictions in each record.
        data_bytes: Mean size of a record's data.
        key_bytes: Size of a record's partition key.
        data_deviation: Standard deviation of `data_bytes`.
    """

    records: float
    events: float
    data_bytes: float
    key_bytes: float
    data_deviation: float = 0.0

    @property
    def bytes(self) -> float:
        """Bytes of all records, keys included."""
        return self.records * (self.data_bytes + self.key_bytes)

    def units(self, size: float) -> float:
        """Return the units of a size that all records are billed as, each rounded up."""
        return self.records * self._units_of_record(size)

    def _units_of_record(self, size: float) -> float:
        if not self.data_deviation:
            return whole(self.data_bytes / size)
        # A record is one unit, and one more for each limit that it exceeds.
        sizes = NormalDist(self.data_bytes, self.data_deviation)
        most = ceil((self.data_bytes + _FARTHEST_DEVIATIONS * self.data_deviation) / size)
        return 1 + sum(1 - sizes.cdf(units * size) for units in range(1, most))


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: its records at the mean rate, its shards for the peak, and its consumers."""

    name: str
    flow: Flow
    shards: int
    consumers: int


def stream_of(name: str, flow: Flow, consumers: int, scenario: Scenario, prices: Prices) -> Stream:
    """Return the stream of a flow, with the shards that its peak needs."""
    limits, readers = prices.limits, 1 if scenario.fan_out else consumers
    read_share = flow.bytes * readers / limits.shard_read_bytes
    peak = max(fullness(flow, prices), read_share) * scenario.peak_factor
    if scenario.mode is Mode.PROVISIONED:
        return Stream(name, flow, max(1, whole(peak / scenario.fill)), consumers)
    shards = max(limits.on_demand_shards, peak * limits.on_demand_room)
    return Stream(name, flow, whole(shards), consumers)


def fullness(flow: Flow, prices: Prices) -> float:
    """Return how many shards' write limits a flow uses."""
    limits = prices.limits
    return max(flow.records / limits.shard_records, flow.bytes / limits.shard_bytes)


def ride_flow(scenario: Scenario, prices: Prices) -> Flow:
    """Return the rides on the input stream.

    A record holds no more rides than arrive while a producer waits for it to fill.
    """
    sizes, kpl = prices.predictions, prices.aggregation
    arriving = max(1.0, scenario.rides_per_second * kpl.buffer_seconds)
    rides = min(float(scenario.rides_per_record), arriving)
    aggregated = sizes.ride_bytes + sizes.key_bytes + kpl.user_record_bytes
    return Flow(
        records=scenario.rides_per_second / rides,
        events=rides,
        data_bytes=kpl.record_bytes + rides * aggregated if rides > 1 else sizes.ride_bytes,
        key_bytes=sizes.key_bytes,
    )


def packed_flow(rides: float, prices: Prices) -> Flow:
    """Return the records of a batch's predictions with AGGREGATE_PREDICTIONS.

    Each ride is in one of `GROUPS` groups at random. A group with rides is one record, or several
    if it is large.
    """
    sizes, kpl = prices.predictions, prices.aggregation
    pieces = packed_pieces(rides, prices)
    each = sizes.prediction_bytes + sizes.key_bytes + kpl.packed_user_record_bytes
    events = max(1.0, rides / _groups(rides) / pieces)
    return Flow(
        records=rides / events,
        events=events,
        data_bytes=kpl.packed_record_bytes + events * each,
        key_bytes=kpl.group_key_bytes,
        data_deviation=_deviation(rides) / pieces * each,
    )


def packed_pieces(rides: float, prices: Prices) -> int:
    """Return the records that a group of mean size takes. They are put one after the other."""
    sizes = prices.predictions
    most = max(1, MAX_PACKED_BYTES // (sizes.prediction_bytes + sizes.key_bytes))
    return whole(rides / _groups(rides) / most)


def busiest_shard(input_shards: int, output_shards: int) -> float:
    """Return the load of the busiest output shard, divided by the mean, for packed predictions.

    Each input shard has as many partition keys as there are groups. The largest of n normal
    variables is about √(2 ln n) deviations from the mean.
    """
    mean = input_shards * GROUPS / output_shards
    return max(1.0, mean + sqrt(2 * mean * log(output_shards))) / mean


def whole(number: float) -> int:
    """Round up, except for the error of floating-point numbers."""
    return ceil(round(number, 9))


def _groups(rides: float) -> float:
    """Return the mean number of groups that have any ride."""
    return GROUPS * _share_with_rides(rides)


def _share_with_rides(rides: float) -> float:
    return float(1 - (1 - 1 / GROUPS) ** rides)


def _deviation(rides: float) -> float:
    """Return the standard deviation of the rides of a group that has any (binomial)."""
    share, mean = _share_with_rides(rides), rides / GROUPS
    mean_square = mean * (1 - 1 / GROUPS) + mean**2
    return sqrt(max(0.0, mean_square / share - (mean / share) ** 2))
