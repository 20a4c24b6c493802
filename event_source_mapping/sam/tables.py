"""DynamoDB tables, as a template has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# Of a table's properties, those that CreateTable takes by the same names.
DEFINED = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table.

    Attributes:
        name: Its physical name.
        definition: Its properties, as CreateTable takes them.
        expires_by: The attribute with the time to live; None if items stay.
    """

    name: str
    definition: Mapping[str, Any]
    expires_by: str | None = None


def create_table(client: "DynamoDBClient", table: Table) -> None:
    """Create a table, and wait until it is there.

    Args:
        client: boto3's DynamoDB client.
        table: What is to be created.
    """
    client.create_table(TableName=table.name, **table.definition)
    client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1})
    if table.expires_by is not None:
        client.update_time_to_live(
            TableName=table.name,
            TimeToLiveSpecification={"AttributeName": table.expires_by, "Enabled": True},
        )
