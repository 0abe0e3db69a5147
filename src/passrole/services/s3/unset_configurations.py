"""Configurations that no bucket here has: what S3 answers where nothing of the kind was ever set.

Clients such as s3cmd and Terraform read them before they work with a bucket, and are answered as by a new
one. Setting one is refused, as an operation that is not supported. Owners are account ids here: S3's
canonical ids of users are kept nowhere else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from passrole.services.context import Context
from passrole.services.operation import Handler, operation
from passrole.services.s3 import objects, versions
from passrole.services.s3.records import bucket_of, its_policy, the_bucket, the_object, version_keys
from passrole.services.s3.refusals import not_configured

_Answer = Mapping[str, Any]


class _Missing(NamedTuple):
    """The error of a configuration that was never set."""

    code: str
    message: str


@operation("s3:GetBucketAcl", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_acl(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """The owner may do everything, and nobody else is named."""
    return _owned((await bucket_of(ctx, bucket, expected_bucket_owner)).account)


@operation(
    "s3:GetObjectAcl",
    versioned="s3:GetObjectVersionAcl",
    resource=the_object,
    resource_policy=its_policy,
    keys=version_keys,
    ignores=("request_payer",),
)
async def get_object_acl(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """The bucket's owner may do everything, and nobody else is named."""
    account = (await bucket_of(ctx, bucket, expected_bucket_owner)).account
    versions.check(version_id)
    await objects.existing(ctx, bucket, key)
    return _owned(account)


def _owned(account: str) -> dict[str, Any]:
    owner = {"ID": account}
    return {
        "Owner": owner,
        "Grants": [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}],
    }


def _bucket_handler(name: str, action: str, answer: _Answer | _Missing) -> Handler:
    async def handler(
        ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
    ) -> dict[str, Any]:
        await bucket_of(ctx, bucket, expected_bucket_owner)
        if isinstance(answer, _Missing):
            raise not_configured(answer.code, answer.message, bucket)
        return dict(answer)

    handler.__name__ = name
    return operation(action, resource=the_bucket, resource_policy=its_policy)(handler)


# Every new bucket has ACLs off since April 2023.
_OWNERSHIP = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}

_ANSWERS: Sequence[tuple[str, str, _Answer | _Missing]] = (
    ("get_bucket_accelerate_configuration", "s3:GetAccelerateConfiguration", {}),
    ("get_bucket_logging", "s3:GetBucketLogging", {}),
    ("get_bucket_notification_configuration", "s3:GetBucketNotification", {}),
    ("get_bucket_ownership_controls", "s3:GetBucketOwnershipControls", _OWNERSHIP),
    ("get_bucket_request_payment", "s3:GetBucketRequestPayment", {"Payer": "BucketOwner"}),
    (
        "get_bucket_cors",
        "s3:GetBucketCORS",
        _Missing("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    (
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        _Missing("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    (
        "get_bucket_website",
        "s3:GetBucketWebsite",
        _Missing("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
    (
        "get_bucket_replication",
        "s3:GetReplicationConfiguration",
        _Missing("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ),
    (
        "get_object_lock_configuration",
        "s3:GetBucketObjectLockConfiguration",
        _Missing(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
    ),
)

globals().update({name: _bucket_handler(name, action, answer) for name, action, answer in _ANSWERS})
