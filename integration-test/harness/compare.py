"""What to say of events that are not as expected."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any


def differences(found: Sequence[Any], expected: Sequence[Any]) -> str:
    """Each place in which two lists of JSON values differ, a line each."""
    pairs = enumerate(zip_longest(found, expected, fillvalue="nothing"))
    return "\n".join(
        f"{_name(place, pair[1])}, {path or 'all of it'}: found {one!r}, expected {other!r}"
        for place, pair in pairs
        for path, one, other in _differences(*pair)
    )


def _differences(found: Any, expected: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in {**expected, **found}:
            yield from _differences(
                found.get(key, "nothing"), expected.get(key, "nothing"), f"{path}.{key}".lstrip(".")
            )
    elif isinstance(found, list) and isinstance(expected, list):
        for place, pair in enumerate(zip_longest(found, expected, fillvalue="nothing")):
            yield from _differences(*pair, f"{path}[{place}]")
    elif found != expected:
        yield path, found, expected


def _name(place: int, event: Any) -> str:
    prediction = event.get("prediction") if isinstance(event, dict) else None
    return f"ride {prediction['ride_id']}" if prediction else f"number {place}"
