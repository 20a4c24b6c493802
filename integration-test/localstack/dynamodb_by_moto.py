"""DynamoDB for LocalStack by moto, which it comes with; its own is a Java program to download.

Chosen with `PROVIDER_OVERRIDE_DYNAMODB=moto`. LocalStack's image has its own.
"""

from typing import Any

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider


class MotoDynamodb(DynamodbApi):
    """Implements nothing, so that moto answers every call."""


@aws_provider(api="dynamodb", name="moto")
def dynamodb() -> Any:
    """The service."""
    return Service.for_provider(MotoDynamodb(), dispatch_table_factory=MotoFallbackDispatcher)
