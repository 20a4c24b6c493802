"""Which failures are meant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ops.redrive.failures import Failure, FailureStore, Kind, Place

# How much the clocks of S3 and of Kinesis may differ.
CLOCKS_DIFFER_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Filters; None lets everything through.

    Attributes:
        stream: The input stream that the record was on.
        kind: Who gave it up.
        reason: The rejection's code, or AWS's condition.
        model: The model or function, or `<model>/<version>`.
        shard: The shard that it was on.
        since: It came to the stream at this time or later, in seconds since the epoch.
        until: It came before this time.
    """

    stream: str | None = None
    kind: Kind | None = None
    reason: str | None = None
    model: str | None = None
    shard: str | None = None
    since: float | None = None
    until: float | None = None

    def may_hold(self, place: Place) -> bool:
        """Whether an object may hold something that is meant, so that it must be read."""
        return (
            self.kind in (None, place.kind)
            and self.shard in (None, place.shard)
            and _may_be(self.stream, place.stream)
            and self.model in (None, place.model or self.model, f"{place.model}/{place.version}")
            # Nothing is given up before it came.
            and (self.since is None or place.modified >= self.since - CLOCKS_DIFFER_SECONDS)
        )

    def takes(self, failure: Failure) -> bool:
        """Whether a failure is meant."""
        source = failure.source
        return (
            self.kind in (None, failure.kind)
            and self.stream in (None, source.stream)
            and self.shard in (None, source.shard)
            and self.reason in (None, failure.reason)
            and self.model in (None, failure.model, f"{failure.model}/{failure.version}")
            and (self.since is None or source.arrival_time >= self.since)
            and (self.until is None or source.arrival_time < self.until)
        )


def _may_be(wanted: str | None, told: str | None) -> bool:
    return wanted is None or told is None or wanted == told


Watch = Callable[[float, float], None]


def meant(store: FailureStore, selection: Selection) -> list[Place]:
    """The objects that may hold something that is meant."""
    return [place for place in store.places(selection.kind) if selection.may_hold(place)]


def selected(store: FailureStore, selection: Selection, watch: Watch) -> Iterator[Failure]:
    """The failures that are meant, rejections first, each kind in the order of its keys.

    Args:
        store: Where they are.
        selection: Which are meant.
        watch: Is told before each failure how many bytes are read, and of how many.
    """
    places = meant(store, selection)
    done, total = 0, sum(place.size for place in places)
    for place in places:
        watch(done, total)
        failures = store.read(place)
        for index, failure in enumerate(failures):
            watch(done + place.size * index / len(failures), total)
            if selection.takes(failure):
                yield failure
        done += place.size
