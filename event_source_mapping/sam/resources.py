"""A template's resources: which of them exist, and what they are called."""

from collections.abc import Callable, Mapping
from typing import Any

from event_source_mapping.environment import ACCOUNT
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.conditions import Conditions
from event_source_mapping.sam.values import text

STACK = "local"

_NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
}


class Resources:
    """Streams, buckets, tables and queues have names; others are only told by their type.

    Args:
        declared: The template's Resources.
        conditions: What says which of them exist.
        region: The region of their ARNs.
        properties: Resolves those properties of a map that are named.
    """

    def __init__(
        self,
        declared: Mapping[str, Any],
        conditions: Conditions,
        region: str,
        properties: Callable[..., dict[str, Any]],
    ) -> None:
        self._declared = declared
        self._conditions = conditions
        self._region = region
        self._properties = properties

    def __contains__(self, logical_id: str) -> bool:
        return logical_id in self._declared

    def of_type(self, *types: str) -> dict[str, Any]:
        """Those that exist, by logical ID.

        Raises:
            TemplateError: The condition of one is not known here.
        """
        return {
            logical_id: resource
            for logical_id, resource in self._declared.items()
            if resource["Type"] in types and self._exists(resource)
        }

    def name(self, logical_id: str) -> str:
        """The physical name of a stream, a bucket, a table or a queue.

        Raises:
            TemplateError: The resource is of another type, or its condition is false.
        """
        resource = self._declared[logical_id]
        name_property = _NAME_PROPERTIES.get(resource["Type"])
        if name_property is None:
            raise TemplateError(f"{logical_id} is a {resource['Type']}, which does not run locally")
        if not self._exists(resource):
            raise TemplateError(
                f"{logical_id} does not exist: its condition {resource['Condition']} is false"
            )
        # CloudFormation makes up a name where none is given; this one can be a bucket's, too.
        given = self._properties(resource.get("Properties", {}), name_property)
        made_up = f"{STACK}-{logical_id.lower()}"
        return text(f"{logical_id}: {name_property}", given.get(name_property, made_up))

    def arn(self, logical_id: str) -> str:
        """The ARN of a stream, a bucket, a table or a queue.

        Raises:
            TemplateError: The resource is of another type, or its condition is false.
        """
        name = self.name(logical_id)
        return {
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{self._region}:{ACCOUNT}:table/{name}",
            "AWS::Kinesis::Stream": f"arn:aws:kinesis:{self._region}:{ACCOUNT}:stream/{name}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{self._region}:{ACCOUNT}:{name}",
        }[str(self._declared[logical_id]["Type"])]

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._conditions.holds(resource["Condition"])
