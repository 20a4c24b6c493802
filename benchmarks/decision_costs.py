"""Measure a decision with the real clients: units of the table, bytes and CPU time.

    python -m benchmarks.decision_costs

docs/decisions.md and capacity/prices.toml use these figures. A stub in another process answers for
DynamoDB and Kinesis, so only the decision function and boto3 take CPU time here.
"""

import argparse
import json
import os
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from msgspec.json import decode, encode

from benchmarks.stub import serve, serving
from decision_service.bootstrap import Handler, build_handler
from streams.fakes import kinesis_event

RIDES = 200
# The first round is not counted. The minimum of the others is the time of an undisturbed core.
ROUNDS = 6
WRITE_UNIT_BYTES, READ_UNIT_BYTES = 1024, 4096
VALUES = ("duration", "tip", "surge", "fare")
# Fake credentials and resources.
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
    "DECISIONS_TABLE": "cases",
    "FAILURES_BUCKET": "failures",
}


class Table:
    """Items by key, with counts of the units they cost and the bytes of the largest."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, operation: str, request: Any) -> Any:
        """Answer as AWS does. Conditions of writes always hold, because batches do not overlap."""
        match operation:
            case "PutItem":
                self._put(request["Item"])
            case "BatchGetItem":
                ((table, wanted),) = request["RequestItems"].items()
                found = [self._get(key["case"]["S"]) for key in wanted["Keys"]]
                return {"Responses": {table: [item for item in found if item]}}
            case "PutRecords":
                self.counts["decisions"] += len(request["Records"])
                sizes = [len(entry["Data"]) * 3 // 4 for entry in request["Records"]]
                self.counts["decision bytes"] = max(sizes)
                return {"Records": [{"SequenceNumber": "1", "ShardId": "s"} for _ in sizes]}
            case "Counts":
                return self.counts
        return {}

    def _get(self, key: str) -> Any:
        item = self.items.get(key, {})
        self.counts["read units"] += units(size(item), READ_UNIT_BYTES)
        return item

    def _put(self, item: Any) -> None:
        before = self.items.get(item["case"]["S"], {})
        self.items[item["case"]["S"]] = item
        self.counts["write units"] += units(max(size(item), size(before)), WRITE_UNIT_BYTES)
        # Adding or removing an entry of the index costs a unit each.
        was, now = (
            [each[name] for name in ("slot", "due") if name in each] for each in (before, item)
        )
        self.counts["index units"] += (was != now) * (bool(was) + bool(now))
        self.counts["case bytes"] = max(self.counts["case bytes"], size(item))


def units(item_bytes: int, unit_bytes: int) -> int:
    """Return the units of an item, rounded up; a missing item costs one."""
    return max(1, -(-item_bytes // unit_bytes))


def size(item: Any) -> int:
    """Return the bytes of an item's names and values; a number has at most 21."""
    return sum(
        len(name) + (len(value["S"].encode()) if "S" in value else 21)
        for name, value in item.items()
    )


def prediction(place: int, value: float, ride_id: int) -> bytes:
    """Return a prediction event of the same length as the sample models'."""
    name = VALUES[place]
    model, run = f"ride_{name}_prediction_model", "f" * 32
    event = {
        "model": model,
        "version": run,
        "prediction": {f"ride_{name}": value, "ride_id": ride_id},
        "event_id": f"{model}:{run}:shardId-000000000000:{10**55 + ride_id}",
    }
    return json.dumps(event, separators=(",", ":")).encode()


def batches(rides: Sequence[int], predictors: int, *, together: bool) -> list[list[bytes]]:
    """Return predictions of rides: a batch for each predictor, or one batch for all."""
    chance = random.Random(7)
    each = [
        [prediction(place, chance.uniform(1, 60), ride_id) for ride_id in rides]
        for place in range(predictors)
    ]
    return [[event for batch in each for event in batch]] if together else each


def measured(predictors: int, rides: int = RIDES, *, together: bool) -> dict[str, float]:
    """Return units and CPU milliseconds for a ride, and bytes of the largest case and decision."""
    needed = ",".join(f"ride_{name}" for name in VALUES[:predictors])
    with (
        serving("benchmarks.decision_costs", "--serve") as url,
        patch.dict(os.environ, {**ENVIRON, "AWS_ENDPOINT_URL": url}),
    ):
        handler = build_handler({**ENVIRON, "NEEDED_PREDICTIONS": needed})
        cores = []
        for first in range(100_000, 100_000 + ROUNDS * rides, rides):
            start = time.process_time()
            _decide(handler, range(first, first + rides), predictors, together=together)
            cores.append(time.process_time() - start)
        counts = _counts(url)
    if counts["decisions"] != ROUNDS * rides:
        raise ValueError(f"{counts['decisions']} decisions on {ROUNDS * rides} rides")
    names = ("write units", "index units", "read units")
    return {
        **{name: counts[name] / counts["decisions"] for name in names},
        "core ms": min(cores[1:]) * 1000 / rides,
        **{name: counts[name] for name in ("case bytes", "decision bytes")},
    }


def _decide(handler: Handler, rides: Sequence[int], predictors: int, *, together: bool) -> None:
    for batch in batches(rides, predictors, together=together):
        event = kinesis_event(batch, stream="ride_predictions")
        answer = handler(event, _Context())
        if answer["batchItemFailures"]:
            raise ValueError(f"records failed: {answer}")


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        """Return more than any batch needs."""
        return 600_000


def _counts(url: str) -> dict[str, int]:
    request = urllib.request.Request(url, b"{}", {"X-Amz-Target": "Stub.Counts"})
    with urllib.request.urlopen(request) as answer:
        counts: dict[str, int] = json.load(answer)
    return counts


def main() -> None:
    """Print the cost of a decision by number of predictors, in one batch or in one batch each."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decision_costs", description=__doc__
    )
    parser.add_argument("--serve", action="store_true", help="run the stub only")
    if parser.parse_args().serve:
        table = Table()
        serve(lambda operation, body: encode(table.answer(operation, decode(body))))
        return
    for predictors in range(2, len(VALUES) + 1):
        for together in (False, True):
            found = measured(predictors, together=together)
            costs = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
            print(f"{predictors} predictions in {'one batch' if together else 'as many'}: {costs}")


if __name__ == "__main__":
    main()
