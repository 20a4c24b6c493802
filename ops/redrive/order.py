"""The failures that are meant, in the order in which their records were on the stream."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

from ops.redrive.failures import Failure, FailureStore, Kind, Place
from ops.redrive.selection import Selection, Watch, meant

_Order = tuple[str, int, int, bool, str, int]
_Started = tuple[tuple[str, int], Place]


def in_order(store: FailureStore, selection: Selection, watch: Watch) -> Iterator[Failure]:
    """The failures that are meant, by shard, sequence number and place.

    Of a partition key, the records come as they were put: a shard that came of a split or a merge
    has a higher ID than its parents. Only objects whose sequence numbers overlap are held at a
    time. Those of batches are read twice, because their keys do not tell the numbers.

    Args:
        store: Where they are.
        selection: Which are meant.
        watch: Is told before each object how many bytes are read, and of how many.
    """
    places = meant(store, selection)
    done, total = 0, sum(place.size * (1 + (place.first is None)) for place in places)

    def read(place: Place) -> list[Failure]:
        nonlocal done
        watch(done, total)
        done += place.size
        return [failure for failure in store.read(place) if selection.takes(failure)]

    held: list[tuple[_Order, Failure]] = []
    for start, place in sorted(_started(places, read), key=lambda started: started[0]):
        while held and held[0][0][:2] < start:
            yield heappop(held)[1]
        for failure in read(place):
            heappush(held, (_order(failure), failure))
    while held:
        yield heappop(held)[1]


def _started(places: list[Place], read: Callable[[Place], list[Failure]]) -> Iterator[_Started]:
    """The places, each behind the shard and the number at which it starts; empty ones left out."""
    for place in places:
        if place.first is not None:
            yield (place.shard, place.first), place
            continue
        numbers = [int(failure.source.sequence_number) for failure in read(place)]
        if numbers:
            yield (place.shard, min(numbers)), place


def _order(failure: Failure) -> _Order:
    sequence_number, place = failure.source.sequence_number, failure.source.sub_sequence_number
    return (
        failure.source.shard,
        int(sequence_number),
        # A whole record comes before the user records of it.
        -1 if place is None else place,
        failure.kind is Kind.BATCH,
        failure.key,
        failure.index,
    )
