"""Asks a running web service for predictions, and looks at what it answers.

`python examples/test_predict.py [URL]`; the URL is http://127.0.0.1:9696 unless given. It needs
nothing but Python. The exit status is 0 only if each answer is as it should be.
"""

import json
import sys
import urllib.error
import urllib.request
from typing import Any

RIDE = {"PULocationID": 10, "DOLocationID": 50, "trip_distance": 40}
URL = "http://127.0.0.1:9696"


def main() -> int:
    """Ask, print and check."""
    url = (sys.argv[1] if len(sys.argv) > 1 else URL).rstrip("/")
    try:
        faults = check(url)
    except OSError as error:
        sys.exit(f"{url} does not answer: {error}")
    except ValueError as error:
        sys.exit(f"{url} is no web service of rides, such as {URL}: {error}")
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


def check(url: str) -> list[str]:
    """What is wrong with the answers of a service."""
    one = post(url, RIDE)
    both = post(url, [RIDE, {**RIDE, "trip_distance": 3.66}])
    event = post(url, {"ride": RIDE, "ride_id": 256})
    wrong = post(url, {**RIDE, "trip_distance": "far"})
    expected = {
        "a ride answers minutes above 0": one.get("duration", 0) > 0,
        "a ride answers the version of its model": bool(one.get("model_version")),
        "a list answers a list": isinstance(both, list) and both[:1] == [one],
        "an event answers an event": event.get("prediction", {}).get("ride_id") == 256,
        "a wrong ride is refused": wrong.get("status") == 422,
    }
    return [f"not so: {what}" for what, is_so in expected.items() if not is_so]


def post(url: str, document: Any) -> Any:
    """What /predict answers, which is printed."""
    request = urllib.request.Request(
        f"{url}/predict", json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    print(json.dumps(answer))
    return answer


if __name__ == "__main__":
    sys.exit(main())
