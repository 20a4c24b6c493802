"""How the DynamoDB store reads, with a client whose answers a test chooses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from decision_service.cases import Case, encode_case
from decision_service.store import DynamoStore

TABLE = "cases"
KEYS = ["1", "2", "3"]

Json = Mapping[str, Any]


class PartlyReading:
    """DynamoDB that leaves some keys of a call unprocessed.

    Args:
        leaves: Which of the keys, in which order.
    """

    def __init__(self, leaves: Callable[[Sequence[Json]], Sequence[Json]]) -> None:
        self._leaves = leaves
        self.calls = 0

    def batch_get_item(self, *, RequestItems: Json) -> Json:
        self.calls += 1
        assert self.calls < 10, "there is no end"
        keys = RequestItems[TABLE]["Keys"]
        left = self._leaves(keys)
        body = {"S": encode_case(Case(due=1.0)).decode()}
        items = [{**key, "body": body} for key in keys if key not in left]
        unprocessed = {TABLE: {**RequestItems[TABLE], "Keys": left}} if left else {}
        return {"Responses": {TABLE: items}, "UnprocessedKeys": unprocessed}


def store(client: PartlyReading) -> DynamoStore:
    reads_only: Any = client
    return DynamoStore(reads_only, TABLE, keep_seconds=1)


def test_load_asks_again_for_the_keys_that_are_left() -> None:
    """Each answer with fewer keys left is progress, until every case is read."""
    client = PartlyReading(lambda keys: keys[1:])

    assert list(store(client).load(KEYS)) == KEYS
    assert client.calls == len(KEYS)


@pytest.mark.parametrize("order", [1, -1])
def test_load_gives_up_when_all_keys_are_left_in_any_order(order: int) -> None:
    """An answer without progress raises, so that the records are redelivered."""
    client = PartlyReading(lambda keys: keys[::order])

    with pytest.raises(RuntimeError, match="left all 3 keys of the table cases unprocessed"):
        store(client).load(KEYS)
    assert client.calls == 1
