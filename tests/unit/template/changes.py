"""Breaking a template on purpose, to see whether it is noticed."""

from typing import Any

_NAMES = ("Sid", "PolicyName", "Id")
GONE = object()


def change(template: dict[str, Any], path: str, value: Any) -> None:
    """Set one value of a template, or take it out if it is GONE.

    Args:
        template: Is changed.
        path: Logical ID and property, or `Parameters`, name and attribute; with slashes between.
            A member of a list is its number, its Sid, its Id or its PolicyName.
        value: What to set.
    """
    first, *keys, last = path.split("/")
    place = template[first] if first in template else template["Resources"][first]["Properties"]
    for key in keys:
        place = place[_key(place, key)]
    if value is GONE:
        del place[_key(place, last)]
    else:
        place[_key(place, last)] = value


def _key(place: Any, key: str) -> Any:
    if isinstance(place, dict):
        return key
    if key.isdigit():
        return int(key)
    return next(
        number
        for number, item in enumerate(place)
        if key in [item[name] for name in _NAMES if name in item]
    )
