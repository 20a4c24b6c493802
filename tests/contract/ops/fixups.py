"""Fix-ups, as somebody on call writes them."""

import json


def distance_as_number(payload: bytes) -> bytes:
    """A distance in quotes, without them."""
    event = json.loads(payload)
    event["ride"]["trip_distance"] = float(event["ride"]["trip_distance"])
    return json.dumps(event).encode()
