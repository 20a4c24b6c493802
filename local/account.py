"""The AWS account that the local stack plays, as ARNs name it."""

ACCOUNT = "123456789012"
REGION = "us-east-1"
