"""Times, as people type them."""

import argparse
from datetime import UTC, datetime


def moment(text: str) -> float:
    """An ISO 8601 time in seconds since the epoch; it is in UTC unless it says otherwise.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; it must be an ISO time, in UTC unless it says otherwise, "
            "such as 2026-11-22T08:30 or 2026-11-22T09:30+01:00"
        ) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def written(seconds: float) -> str:
    """Seconds since the epoch as an ISO time in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(seconds: float) -> str:
    """The day of a time in UTC, as YYYY-MM-DD."""
    return written(seconds)[:10]
