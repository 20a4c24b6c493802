"""AWS where any call may fail, before or after it did its work, and where others come between."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from decision_service.store import DynamoClient, DynamoStore

Json = Mapping[str, Any]
# What may go wrong with a call: it is not made; it is, and its answer is lost; the client makes it
# again for that; a part of it is refused; the environment ends before it, or after.
FAULTS = ("before", "after", "twice", "part", "crash before", "crash after")


class Crash(BaseException):
    """The environment ends, and nothing catches that."""


class Refused(Exception):
    """The condition of a write does not hold."""


class Chance:
    """Decides by a seed which calls fail, and how.

    Args:
        seed: The same one decides the same.
        come_between: Called before and after a call, for other invocations.
    """

    def __init__(self, seed: int, come_between: Callable[[], None]) -> None:
        self.random = random.Random(seed)
        self.is_quiet = False
        self._share = self.random.choice((0.02, 0.1, 0.5))
        self._come_between = come_between

    def call[T](self, do: Callable[[], T], part: Callable[[], T] | None = None) -> T:
        """Do what a call does, or what becomes of it."""
        fault = self._fault()
        self._come_between()
        if fault == "before":
            raise OSError("not connected")
        if fault == "crash before":
            raise Crash
        answer = part() if fault == "part" and part else do()
        if fault == "twice":
            answer = do()
        if fault == "after":
            raise OSError("no answer")
        if fault == "crash after":
            raise Crash
        self._come_between()
        return answer

    def _fault(self) -> str | None:
        is_fine = self.is_quiet or self.random.random() > self._share
        return None if is_fine else self.random.choice(FAULTS)


class FaultyDynamo:
    """DynamoDB as far as `DynamoStore` uses it; its index lags behind until `catch_up`."""

    exceptions: Any = SimpleNamespace(ConditionalCheckFailedException=Refused)

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.items: dict[str, Json] = {}
        self._index: dict[str, tuple[int, float]] = {}

    def put_item(self, *, TableName: str, Item: Json, **condition: Any) -> Json:
        def put() -> Json:
            kept = self.items.get(Item["case"]["S"])
            loaded = condition.get("ExpressionAttributeValues", {}).get(":loaded")
            if (kept["revision"] if kept else None) != loaded:
                raise Refused
            self.items[Item["case"]["S"]] = Item
            return {}

        return self._chance.call(put)

    def batch_get_item(self, *, RequestItems: Json) -> Json:
        ((table, request),) = RequestItems.items()
        keys = request["Keys"]

        def get(count: int) -> Json:
            found = [self.items.get(key["case"]["S"]) for key in keys[:count]]
            items = [copy.deepcopy(item) for item in found if item is not None]
            left = {table: {**request, "Keys": keys[count:]}} if keys[count:] else {}
            return {"Responses": {table: items}, "UnprocessedKeys": left}

        return self._chance.call(lambda: get(len(keys)), lambda: get((len(keys) + 1) // 2))

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=self._query)

    def catch_up(self, share: float) -> None:
        """Bring some of the index up to date."""
        for key, item in self.items.items():
            if self._chance.random.random() <= share:
                self._index.pop(key, None)
                if "due" in item:
                    self._index[key] = (int(item["slot"]["N"]), float(item["due"]["N"]))

    def _query(self, *, ExpressionAttributeValues: Json, **_: Any) -> Iterator[Json]:
        number, now = (float(value["N"]) for value in ExpressionAttributeValues.values())
        due = [key for key, (slot, due) in self._index.items() if slot == number and due <= now]
        yield self._chance.call(lambda: {"Items": [{"case": {"S": key}} for key in due]})


class FaultyKinesis:
    """Kinesis' PutRecords, which takes all, some or none."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.taken: list[bytes] = []

    def put_records(self, *, StreamName: str, Records: Sequence[Json]) -> Json:
        def put(takes: Callable[[], bool]) -> Json:
            results = [{"SequenceNumber": "1"} if takes() else {"ErrorCode": "x"} for _ in Records]
            for entry, result in zip(Records, results, strict=True):
                self.taken += [entry["Data"]] if "SequenceNumber" in result else []
            return {"Records": results}

        coin = self._chance.random
        return self._chance.call(
            lambda: put(lambda: True), lambda: put(lambda: coin.random() < 0.5)
        )


class InTurn(DynamoStore):
    """The store without its threads, so that a seed tells what happens."""

    def __init__(self, client: DynamoClient) -> None:
        super().__init__(client, "cases", keep_seconds=3600)
        in_turn: Any = SimpleNamespace(map=lambda function, *of: list(map(function, *of)))
        self._writers = in_turn


def decisions(taken: Sequence[bytes]) -> dict[str, set[bytes]]:
    """What was put of each ride, by its ID as JSON; events that are equal to the byte are one."""
    found: dict[str, set[bytes]] = {}
    for data in taken:
        found.setdefault(json.dumps(json.loads(data)["decision"]["ride_id"]), set()).add(data)
    return found
