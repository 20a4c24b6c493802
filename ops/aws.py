"""What boto3 says when AWS refuses or cannot be reached, with what to do about it."""

from botocore.exceptions import NoCredentialsError, NoRegionError

_LOCAL = "or 'source .local/env' for the stack of 'make up'"


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
