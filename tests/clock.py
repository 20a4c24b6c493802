"""A clock that only moves when somebody sleeps."""


class ManualClock:
    """Monotonic seconds; `sleep` moves them on at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        # Even a sleep of nothing takes time, so that a loop on this clock ends.
        self.now += max(seconds, 0.001)
