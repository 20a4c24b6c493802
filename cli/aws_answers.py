"""What boto3 says when AWS refuses or cannot be reached, with what to do about it."""

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import NoCredentialsError, NoRegionError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

_LOCAL = "or 'source .local/env' for the stack of 'make up'"


def checked[Client: BaseClient](client: Client) -> Client:
    """Make a client fail if a program answers that is not AWS.

    boto3 takes any answer with a good status for an empty one: from a port that another program has
    by now, `redrive list` would find no failure.
    """
    client.meta.events.register("after-call", _require_aws)
    return client


def _require_aws(
    *, http_response: AWSResponse, parsed: Mapping[str, Any], model: OperationModel, **_: object
) -> None:
    """Raise an error if nothing of an answer was understood.

    Raises:
        ResponseParserError: It has no field of the operation, and no request ID.
    """
    metadata = parsed["ResponseMetadata"]
    if parsed.keys() == {"ResponseMetadata"} and "RequestId" not in metadata:
        where = http_response.url.partition("?")[0]
        raise ResponseParserError(f"{model.name} failed: what answers at {where} is not AWS")


def told(error: Exception, options: str = "") -> str:
    """An error of boto3, and after a semicolon what to do.

    Args:
        error: What boto3 raised.
        options: The command's own that may be to blame, each with a comma and a space after it.
    """
    return f"{str(error).rstrip('.')}; {_remedy(error, options)}"


def _remedy(error: Exception, options: str) -> str:
    if isinstance(error, NoRegionError):
        return f"set AWS_DEFAULT_REGION, such as to eu-west-1, {_LOCAL}"
    if isinstance(error, NoCredentialsError):
        return f"set AWS_PROFILE, {_LOCAL}"
    return f"check {options}AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and the network"
