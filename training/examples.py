"""What a model learns from: rides, and the value to predict for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from model_service.records.ride_events import Ride


class Target(StrEnum):
    """What is predicted: a ride's duration in minutes, or its tip in dollars."""

    DURATION = "duration"
    TIP = "tip"

    @property
    def unit(self) -> str:
        """The unit of this target's labels, predictions and errors."""
        return "minutes" if self is Target.DURATION else "dollars"


@dataclass(frozen=True, slots=True)
class Examples:
    """Rides and their labels, one label a ride, in the target's unit.

    Attributes:
        source: Where they come from, for a person.
    """

    source: str
    rides: list[Ride]
    labels: list[float]

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """All examples of several sources, in order."""
        parts = list(parts)
        return cls(
            ", ".join(part.source for part in parts),
            [ride for part in parts for ride in part.rides],
            [label for part in parts for label in part.labels],
        )
