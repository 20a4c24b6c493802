"""How often a schedule comes, as a SAM template says it.

Source: "Schedule expressions" (Amazon EventBridge User Guide).
"""

import re
from collections.abc import Mapping
from typing import Any

from event_source_mapping.mapping_errors import TemplateError

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")


def rate_seconds(name: str, properties: Mapping[str, Any]) -> float:
    """How often a SAM event of type Schedule comes.

    Raises:
        TemplateError: It is not by a rate, or has what is not simulated here.
    """
    unknown = properties.keys() - {"Description", "Schedule"}
    if unknown:
        raise TemplateError(
            f"{name}: the local stack does not know {', '.join(sorted(unknown))} of a schedule"
        )
    found = _RATE.fullmatch(str(properties.get("Schedule")))
    if found is None:
        raise TemplateError(
            f"{name}: Schedule is {properties.get('Schedule')!r}; the local stack knows "
            "rate(<number> minutes), hours and days"
        )
    return int(found[1]) * _UNITS[found[2]]
