"""What the function makes of a batch's predictions if it packs them (`AGGREGATE_PREDICTIONS`).

A batch is of one shard, and its predictions are in as many groups as `streams.packed_writer` has,
by ride ID: each ride is in any of them by chance. A group is a record, or several if it is large.
"""

from math import log, sqrt

from capacity.prices import Aggregation
from capacity.scenario import Scenario
from capacity.streams import Flow, whole
from streams.packed_writer import GROUPS, MAX_PACKED_BYTES


def packed(rides: float, scenario: Scenario, aggregation: Aggregation) -> Flow:
    """The records of a mean batch with so many rides, at least one; `records` is of the batch."""
    hit = groups_hit(rides)
    pieces = pieces_of_group(rides, scenario)
    each = scenario.prediction_bytes + scenario.key_bytes + aggregation.packed_user_record_bytes
    events = max(1.0, rides / hit / pieces)
    return Flow(
        records=rides / events,
        events=events,
        data_bytes=aggregation.packed_record_bytes + events * each,
        key_bytes=aggregation.group_key_bytes,
        data_deviation=_deviation(rides) / pieces * each,
    )


def groups_hit(rides: float) -> float:
    """Groups in which there is any of so many rides, on average."""
    return GROUPS * _share_hit(rides)


def pieces_of_group(rides: float, scenario: Scenario) -> int:
    """Records that hold a group of mean size; they are put one after the other."""
    most = max(1, MAX_PACKED_BYTES // (scenario.prediction_bytes + scenario.key_bytes))
    return whole(rides / groups_hit(rides) / most)


def busiest_shard(input_shards: int, output_shards: int) -> float:
    """What the busiest output shard gets, over the mean of all, as groups are whole keys.

    Each shard of rides has as many keys as there are groups, and chance says which shards of
    predictions they are on. The busiest has about as many as the largest of so many normals.
    """
    mean = input_shards * GROUPS / output_shards
    return max(1.0, mean + sqrt(2 * mean * log(output_shards))) / mean


def _deviation(rides: float) -> float:
    """Standard deviation of the rides of a group, of the groups with any (binomial)."""
    share, mean = _share_hit(rides), rides / GROUPS
    mean_square = mean * (1 - 1 / GROUPS) + mean**2
    return sqrt(max(0.0, mean_square / share - (mean / share) ** 2))


def _share_hit(rides: float) -> float:
    return float(1 - (1 - 1 / GROUPS) ** rides)
