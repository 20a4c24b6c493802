from typing import Any

import pytest

from tests.unit.template.buckets import problems
from tests.unit.template.changes import GONE, change

LIFECYCLE = "FailuresBucket/LifecycleConfiguration/Rules/Expire"
PRIVATE = "FailuresBucket/PublicAccessBlockConfiguration"
REPLICA = {"Role": "arn:aws:iam::1:role/a", "Rules": []}
WEBSITE = {"IndexDocument": "index.html"}


def test_template_keeps_buckets_to_itself(template: dict[str, Any]) -> None:
    """Rides of people are open to nobody else, and neither lost with the stack nor kept forever."""
    assert problems(template) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{PRIVATE}/BlockPublicPolicy", False, "BlockPublicPolicy is False; it must be True"),
        ("FailuresBucket/OwnershipControls", GONE, "OwnershipControls.Rules is None"),
        ("FailuresBucket/BucketEncryption", GONE, "ServerSideEncryptionConfiguration is missing"),
        ("FailuresBucket/LifecycleConfiguration", GONE, "FailuresBucket keeps objects forever"),
        (f"{LIFECYCLE}/Status", "Disabled", "FailuresBucket keeps objects forever"),
        (f"{LIFECYCLE}/Prefix", "aws/", "FailuresBucket keeps objects forever"),
        (
            "Resources/FailuresBucket/DeletionPolicy",
            "Delete",
            "DeletionPolicy must be RetainExceptOnCreate",
        ),
        ("Resources/FailuresBucket/DeletionPolicy", GONE, "DeletionPolicy must be RetainExcept"),
        (
            "Resources/FailuresBucket/UpdateReplacePolicy",
            GONE,
            "UpdateReplacePolicy must be Retain",
        ),
        ("FailuresBucket/ReplicationConfiguration", REPLICA, "FailuresBucket has a Replication"),
        ("FailuresBucket/WebsiteConfiguration", WEBSITE, "FailuresBucket has a WebsiteConfig"),
        ("FailuresBucket/AccessControl", "PublicRead", "FailuresBucket has a AccessControl"),
    ],
)
def test_problems_open_or_fleeting_bucket_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """What opens a bucket, or takes away its protection, is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template))
