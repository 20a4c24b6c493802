"""What is done with a video."""

from collections.abc import Mapping, Sequence
from typing import Any

LIMITS = {"copyright": 0.8, "nsfw": 0.6, "violence": 0.7}
ANY_OTHER = 0.5


def moderate(scores: Mapping[str, float], missing: Sequence[str]) -> dict[str, Any]:
    """Block what any service objects to, hold what not all have seen, publish the rest."""
    objecting = sorted(name for name in scores if scores[name] > LIMITS.get(name, ANY_OTHER))
    if objecting:
        return {"action": "block", "because": objecting}
    if missing:
        return {"action": "hold", "because": list(missing)}
    return {"action": "publish", "because": []}
