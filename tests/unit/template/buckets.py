"""Who sees what a bucket holds, and how long it is kept."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.template.resources import Template, at, of_type

_REQUIRED: Mapping[str, Any] = {
    "OwnershipControls.Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}],
    "PublicAccessBlockConfiguration.BlockPublicAcls": True,
    "PublicAccessBlockConfiguration.BlockPublicPolicy": True,
    "PublicAccessBlockConfiguration.IgnorePublicAcls": True,
    "PublicAccessBlockConfiguration.RestrictPublicBuckets": True,
}
# A website is for everybody, a replica is out of this template's hands, and an ACL of its own
# is one more thing to look at.
_ABSENT = ("AccessControl", "ReplicationConfiguration", "WebsiteConfiguration")
# What a lifecycle rule may say without being about some objects only.
_WHOLE_BUCKET = {
    "AbortIncompleteMultipartUpload",
    "ExpirationInDays",
    "Id",
    "NoncurrentVersionExpiration",
    "Status",
}
# A stack that could not be made leaves no empty bucket behind.
_KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def problems(template: Template) -> list[str]:
    """Where a bucket is open to others, or keeps what it holds too long or not long enough."""
    return [
        f"{name}{problem}"
        for name, bucket in of_type(template, "AWS::S3::Bucket")
        for problem in [*_open(bucket), *_kept(template["Resources"][name], bucket)]
    ]


def _open(bucket: dict[str, Any]) -> Iterator[str]:
    for path, value in _REQUIRED.items():
        found = at(bucket, path)
        if found != value:
            yield f".{path} is {found}; it must be {value}"
    for key in _ABSENT:
        if key in bucket:
            yield f" has a {key}"
    if not at(bucket, "BucketEncryption.ServerSideEncryptionConfiguration"):
        yield ".BucketEncryption.ServerSideEncryptionConfiguration is missing"


def _kept(resource: Mapping[str, Any], bucket: dict[str, Any]) -> Iterator[str]:
    rules = at(bucket, "LifecycleConfiguration.Rules") or []
    if not any(_expires_everything(rule) for rule in rules):
        yield " keeps objects forever"
    for key, value in _KEPT.items():
        if resource.get(key) != value:
            yield f": {key} must be {value}"


def _expires_everything(rule: Mapping[str, Any]) -> bool:
    enabled = rule["Status"] == "Enabled" and "ExpirationInDays" in rule
    return enabled and rule.keys() <= _WHOLE_BUCKET
