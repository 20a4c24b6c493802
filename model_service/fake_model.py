"""A model for tests, yours included."""

from collections.abc import Callable, Sequence

from model_service.records.features import Features, Row, rows


class FakePredictor:
    """A model that is a function of one ride's features, and may raise."""

    def __init__(self, function: Callable[[Row], float]) -> None:
        self._function = function

    def predict(self, features: Features) -> Sequence[float]:
        """The function's value for each ride."""
        return [self._function(row) for row in rows(features)]
