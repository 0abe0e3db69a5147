"""Configurations that no bucket here has: what S3 answers where nothing of the kind was ever set.

Clients ask for them before they work with a bucket (s3cmd, Terraform), and are answered as by a fresh bucket.
Setting one is refused, as an operation that is not supported. Owners are account ids here: S3's canonical ids
of users are kept nowhere else.
"""

from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import objects, versions
from passrole.services.s3.records import bucket_of, its_policy, the_bucket, the_object, version_keys
from passrole.services.s3.refusals import not_configured
from passrole.services.s3.storage import BY_S3


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


@operation("s3:GetBucketOwnershipControls", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_ownership_controls(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """ACLs are off, as for every bucket since April 2023."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}


@operation("s3:GetEncryptionConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_encryption(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Every object is S3's to encrypt, as for every bucket since January 2023."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": BY_S3},
        "BucketKeyEnabled": False,
    }
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


@operation("s3:GetBucketLogging", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_logging(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Calls are logged to no bucket."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {}


@operation("s3:GetAccelerateConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_accelerate_configuration(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Nothing is accelerated."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {}


@operation("s3:GetBucketNotification", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_notification_configuration(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Nobody is notified."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {}


@operation("s3:GetBucketRequestPayment", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_request_payment(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """The owner pays."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {"Payer": "BucketOwner"}


@operation("s3:GetBucketCORS", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_cors(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Refused: no other site is known."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    raise not_configured("NoSuchCORSConfiguration", "The CORS configuration does not exist", bucket)


@operation("s3:GetLifecycleConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_lifecycle_configuration(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Refused: objects stay."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    message = "The lifecycle configuration does not exist"
    raise not_configured("NoSuchLifecycleConfiguration", message, bucket)


@operation("s3:GetBucketWebsite", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_website(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Refused: the bucket is no website."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    message = "The specified bucket does not have a website configuration"
    raise not_configured("NoSuchWebsiteConfiguration", message, bucket)


@operation("s3:GetReplicationConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_replication(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Refused: nothing is copied elsewhere."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    message = "The replication configuration was not found"
    raise not_configured("ReplicationConfigurationNotFoundError", message, bucket)


@operation("s3:GetBucketObjectLockConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_object_lock_configuration(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Refused: nothing is locked."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    message = "Object Lock configuration does not exist for this bucket"
    raise not_configured("ObjectLockConfigurationNotFoundError", message, bucket)


def _owned(account: str) -> dict[str, Any]:
    owner = {"ID": account}
    return {
        "Owner": owner,
        "Grants": [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}],
    }
