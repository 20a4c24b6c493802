"""What a flow of records needs of a Kinesis stream."""

from dataclasses import dataclass
from math import ceil, erfc, sqrt

from capacity.prices import Aggregation, Prices
from capacity.scenario import Mode, Scenario

# Standard deviations from the mean: of a normal, one in 10^15 is farther.
_FARTHEST = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """Records of one size, or of sizes around a mean.

    Attributes:
        records: A second.
        events: In each record: rides or predictions.
        data_bytes: Of each record.
        key_bytes: Of each record's partition key.
        data_deviation: Standard deviation of `data_bytes`, 0 if all have one size.
    """

    records: float
    events: float
    data_bytes: float
    key_bytes: float
    data_deviation: float = 0.0

    @property
    def bytes(self) -> float:
        """A second, keys included."""
        return self.records * (self.data_bytes + self.key_bytes)

    def put_units(self, unit_bytes: float) -> float:
        """PUT payload units a second."""
        return self.records * self._begun(unit_bytes)

    def rounded_bytes(self, rounding_bytes: float) -> float:
        """Bytes a second, each record rounded up."""
        return self.records * self._begun(rounding_bytes) * rounding_bytes

    def _begun(self, unit_bytes: float) -> float:
        """Units of a record, rounded up; their mean, if sizes are spread as a normal is."""
        if not self.data_deviation:
            return whole(self.data_bytes / unit_bytes)
        # One, and one more for each unit that is not enough.
        most = self.data_bytes + _FARTHEST * self.data_deviation
        return 1 + sum(
            self._share_over(units * unit_bytes) for units in range(1, ceil(most / unit_bytes))
        )

    def _share_over(self, data_bytes: float) -> float:
        return erfc((data_bytes - self.data_bytes) / self.data_deviation / sqrt(2)) / 2


def input_flow(scenario: Scenario, prices: Prices) -> Flow:
    """The rides on the input stream; a record has no more than come while a producer waits."""
    come = max(1.0, scenario.rides_per_second * scenario.buffer_seconds)
    events = min(float(scenario.rides_per_record), come)
    return Flow(
        records=scenario.rides_per_second / events,
        events=events,
        data_bytes=packed_bytes(events, scenario.ride_bytes, scenario, prices.aggregation),
        key_bytes=scenario.key_bytes,
    )


def packed_bytes(
    events: float, event_bytes: float, scenario: Scenario, aggregation: Aggregation
) -> float:
    """Bytes of a record with so many events; one alone is put as it is."""
    if events <= 1:
        return event_bytes
    each = event_bytes + scenario.key_bytes + aggregation.user_record_bytes
    return aggregation.record_bytes + events * each


def shards(flow: Flow, consumers: int, scenario: Scenario, prices: Prices) -> int:
    """Shards for the peak of a flow, with as much room as `fill` leaves.

    Args:
        flow: At its mean rate.
        consumers: Applications that read it; they share a shard's reads unless they fan out.
        scenario: Has the peak.
        prices: Have the limits.
    """
    full = _full_shards(flow, 1 if scenario.fan_out else consumers, prices) * scenario.peak_factor
    if scenario.mode is Mode.PROVISIONED:
        return max(1, whole(full / scenario.fill))
    scaling = prices.on_demand_scaling
    return whole(max(scaling.least_shards, full * scaling.room))


def _full_shards(flow: Flow, consumers: int, prices: Prices) -> float:
    limits = prices.kinesis
    return max(
        flow.records / limits.shard_records,
        flow.bytes / limits.shard_bytes,
        flow.bytes * consumers / limits.shard_read_bytes,
    )


def whole(number: float) -> int:
    """The next whole number, but for what comes of rounding: 80 % of a limit are not a bit more."""
    return ceil(round(number, 9))
