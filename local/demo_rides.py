"""Sample rides for the input stream, a few of them deliberately bad."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count as count_from
from itertools import cycle, islice

import msgspec

from model_service.records.ride_events import RideEvent
from training.synthetic_rides import SyntheticRide, synthetic_rides

# One in this many rides is bad.
BAD_EVERY = 100
SEED = 2021

# Each makes bad bytes of a good ride event; among them are the faults that today's libraries turn
# into a wrong prediction without an error.
_FAULTS: tuple[Callable[[bytes], bytes], ...] = (
    lambda good: good[: len(good) // 2],
    lambda good: good.replace(b'"trip_distance":', b'"trip_distance":"3.66","was":'),
    lambda good: good.replace(b'"trip_distance":', b'"distance":'),
    lambda good: good.replace(b'"trip_distance":', b'"trip_distance":-1,"was":'),
    lambda good: good.replace(b'"trip_distance":', b'"trip_distance":NaN,"was":'),
    lambda good: good.replace(b'"PULocationID":', b'"PULocationID":null,"was":'),
    lambda good: good.replace(b'"ride_id":', b'"ride_id":"","was":'),
    lambda good: b"[" + good + b"]",
    lambda good: b"\xff" + good,
)


@dataclass(frozen=True, slots=True)
class SampleRide:
    """One record for the input stream.

    Attributes:
        partition_key: The ride's ID.
        data: A ride event in JSON, or bytes that are none.
        is_bad: Whether it is to be rejected.
    """

    partition_key: str
    data: bytes
    is_bad: bool


def sample_rides(count: int) -> list[SampleRide]:
    """Always the same rides; a larger count only adds to them."""
    faults = cycle(_FAULTS)
    samples = []
    for ride_id, synthetic in enumerate(islice(_endless_rides(), count), start=1):
        data = msgspec.json.encode(RideEvent(synthetic.ride, ride_id))
        is_bad = ride_id % BAD_EVERY == 0
        if is_bad:
            data = next(faults)(data)
        samples.append(SampleRide(str(ride_id), data, is_bad))
    return samples


def _endless_rides() -> Iterator[SyntheticRide]:
    for seed in count_from(SEED):
        yield from synthetic_rides(1000, seed)
