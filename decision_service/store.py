"""Where cases are kept: a DynamoDB table, which two invocations cannot both change."""

import logging
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal, Protocol

from botocore.exceptions import ClientError
from msgspec.structs import replace

from decision_service.cases import Case, decode_case, encode_case
from streams.deadline import Deadline

if TYPE_CHECKING:
    from typing import Unpack

    from types_boto3_dynamodb.client import Exceptions
    from types_boto3_dynamodb.paginator import QueryPaginator
    from types_boto3_dynamodb.type_defs import KeysAndAttributesUnionTypeDef, PutItemInputTypeDef

logger = logging.getLogger(__name__)

# API reference, BatchGetItem.
MAX_KEYS_A_CALL = 100
# Writes at a time; the client needs as many connections.
WRITERS = 16
# The index of open cases is spread, because one value of its key takes 1,000 writes a second
# ("Best practices for designing and using partition keys effectively").
SLOTS = 16
INDEX = "due"

Json = Mapping[str, Any]


class Store(Protocol):
    """Keeps cases by the texts of their keys."""

    def load(self, keys: Collection[str]) -> dict[str, Case]:
        """The cases that there are, as they were last saved."""
        ...

    def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
        """Save cases, unless somebody else saved them since they were loaded, or time is up.

        Returns:
            Those that were saved, as they are now.
        """
        ...

    def due(self, now: float) -> Iterator[Sequence[str]]:
        """Pages of keys of cases whose window has ended, and whose decision is not put.

        A page may lag behind `save`, and name a case that is put.
        """
        ...


class DynamoClient(Protocol):
    """The part of boto3's DynamoDB client that is used here."""

    @property
    def exceptions(self) -> "Exceptions":
        """The classes of its errors."""
        ...

    def batch_get_item(
        self, *, RequestItems: "Mapping[str, KeysAndAttributesUnionTypeDef]"
    ) -> Json:
        """Read items by their keys."""
        ...

    def put_item(self, **request: "Unpack[PutItemInputTypeDef]") -> Json:
        """Write one item."""
        ...

    def get_paginator(self, operation_name: Literal["query"], /) -> "QueryPaginator":
        """Read an index page by page."""
        ...


class DynamoStore:
    """Cases in a DynamoDB table.

    An item has the key in `case`, the case in `body`, and `revision`, which is its condition. While
    its decision is not put, it has `slot` and `due`, the keys of the index; from then on `expires`,
    by which DynamoDB deletes it.

    Args:
        client: boto3's DynamoDB client.
        table: Name of the table.
        keep_seconds: How long a case is kept once its decision is put.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        client: DynamoClient,
        table: str,
        keep_seconds: float,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._table = table
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="cases")

    def load(self, keys: Collection[str]) -> dict[str, Case]:
        """The cases that there are, read consistently."""
        pages = batched(dict.fromkeys(keys), MAX_KEYS_A_CALL, strict=False)
        return {
            item["case"]["S"]: decode_case(item["body"]["S"])
            for page in self._writers.map(self._load_page, pages)
            for item in page
        }

    def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
        """Save cases, each on the condition that it is as it was when it was loaded."""
        # Where each call takes seconds to fail, so many would take longer than an invocation may.
        saved = self._writers.map(
            lambda key: None if deadline.passed() else self._save_one(key, cases[key]), cases
        )
        return {key: case for key, case in zip(cases, saved, strict=True) if case is not None}

    def due(self, now: float) -> Iterator[Sequence[str]]:
        """Pages of keys, of each slot the oldest first; it begins with another slot each minute."""
        first = int(now / 60)
        for place in range(SLOTS):
            yield from self._due_of((first + place) % SLOTS, now)

    def _load_page(self, keys: Sequence[str]) -> list[Json]:
        items: list[Json] = []
        wanted: Sequence[Json] = [{"case": {"S": key}} for key in keys]
        while wanted:
            answer = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": wanted, "ConsistentRead": True}}
            )
            items += answer["Responses"].get(self._table, [])
            left: Sequence[Json] = (
                answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            )
            # By their number: DynamoDB promises no order.
            if len(left) >= len(wanted):
                raise RuntimeError(
                    f"cases cannot be read: DynamoDB left all {len(wanted)} keys of the table "
                    f"{self._table} unprocessed; the records are redelivered"
                )
            wanted = left
        return items

    def _save_one(self, key: str, case: Case) -> Case | None:
        saved = replace(case, revision=case.revision + 1)
        try:
            self._client.put_item(
                TableName=self._table, Item=self._item(key, saved), **_as_loaded(case)
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        except Exception as error:
            # Throttling, or a call that timed out: the records come again, and it is loaded then.
            logger.warning("a case could not be saved: %s", _code(error))
            return None
        return saved

    def _item(self, key: str, case: Case) -> Json:
        # From now on, not from `due`: a decision may be put long after, and is to be remembered.
        expires = int(self._clock() + self._keep_seconds)
        return {
            "case": {"S": key},
            "revision": {"N": str(case.revision)},
            "body": {"S": encode_case(case).decode()},
            **(
                {"expires": {"N": str(expires)}}
                if case.is_put
                else {"slot": {"N": str(slot(key))}, "due": {"N": repr(case.due)}}
            ),
        }

    def _due_of(self, number: int, now: float) -> Iterator[Sequence[str]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=INDEX,
            KeyConditionExpression="slot = :slot AND due <= :now",
            ExpressionAttributeValues={":slot": {"N": str(number)}, ":now": {"N": repr(now)}},
            PaginationConfig={"PageSize": 500},
        )
        for page in pages:
            if page["Items"]:
                yield [item["case"]["S"] for item in page["Items"]]


def slot(key: str) -> int:
    """The part of the index that a case belongs to."""
    return zlib.crc32(key.encode(errors="surrogatepass")) % SLOTS


def _code(error: Exception) -> str:
    """What went wrong, in a word: in DynamoDB's own if it answered, such as ThrottlingException."""
    response = error.response if isinstance(error, ClientError) else {}
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _as_loaded(case: Case) -> Json:
    """The condition that a case is still as it was loaded, or not there if it was not."""
    # `case` is a word of DynamoDB's own.
    if case.revision == 0:
        return {
            "ConditionExpression": "attribute_not_exists(#case)",
            "ExpressionAttributeNames": {"#case": "case"},
        }
    return {
        "ConditionExpression": "revision = :loaded",
        "ExpressionAttributeValues": {":loaded": {"N": str(case.revision)}},
    }
