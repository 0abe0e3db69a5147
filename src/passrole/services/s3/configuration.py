"""The configurations that a bucket can have: tags, the public access block, and how objects are encrypted.

Nothing here opens a bucket: a request without a signature does nothing, whatever is configured. Of the other
configurations `unset_configurations.py` says that there are none.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import records, storage
from passrole.services.s3.object_headers import check_tags
from passrole.services.s3.records import BLOCKED, BUCKETS, bucket_of, its_policy, the_bucket
from passrole.services.s3.refusals import not_configured
from passrole.services.tags import to_list
from passrole.store import Tx

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import (
        PublicAccessBlockConfigurationTypeDef,
        ServerSideEncryptionConfigurationTypeDef,
        TaggingTypeDef,
    )

TAGS_MAX = 50
NOT_SAID = ("checksum_algorithm", "content_md5")


@operation("s3:GetBucketTagging", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_tagging(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """The tags of a bucket, which has some."""
    tags = (await bucket_of(ctx, bucket, expected_bucket_owner)).tags
    if not tags:
        raise not_configured("NoSuchTagSet", "The TagSet does not exist", bucket)
    return {"TagSet": to_list(tags)}


@operation("s3:PutBucketTagging", resource=the_bucket, resource_policy=its_policy, ignores=NOT_SAID)
async def put_bucket_tagging(
    ctx: Context, *, bucket: str, tagging: "TaggingTypeDef", expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Set the tags of a bucket, in place of those that it has."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    await _change(ctx, bucket, tags=check_tags(tagging.get("TagSet") or [], "Bucket", TAGS_MAX))
    return {}


@operation("s3:PutBucketTagging", resource=the_bucket, resource_policy=its_policy)
async def delete_bucket_tagging(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Remove all tags of a bucket."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    await _change(ctx, bucket, tags={})
    return {}


@operation("s3:GetBucketPublicAccessBlock", resource=the_bucket, resource_policy=its_policy)
async def get_public_access_block(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """What is blocked: all, unless somebody changed it."""
    blocked = (await bucket_of(ctx, bucket, expected_bucket_owner)).public_access
    if blocked is None:
        message = "The public access block configuration was not found"
        raise not_configured("NoSuchPublicAccessBlockConfiguration", message, bucket)
    return {"PublicAccessBlockConfiguration": dict(blocked)}


@operation("s3:PutBucketPublicAccessBlock", resource=the_bucket, resource_policy=its_policy, ignores=NOT_SAID)
async def put_public_access_block(
    ctx: Context,
    *,
    bucket: str,
    public_access_block_configuration: "PublicAccessBlockConfigurationTypeDef",
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Say what shall be blocked; what is not mentioned is not."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    blocked = {name: bool(public_access_block_configuration.get(name)) for name in BLOCKED}
    await _change(ctx, bucket, public_access=blocked)
    return {}


@operation("s3:PutBucketPublicAccessBlock", resource=the_bucket, resource_policy=its_policy)
async def delete_public_access_block(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Take the configuration away, if there is one."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    await _change(ctx, bucket, public_access=None)
    return {}


@operation("s3:GetEncryptionConfiguration", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_encryption(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """How objects are encrypted whose request does not say it: by S3, unless somebody changed it."""
    found = await bucket_of(ctx, bucket, expected_bucket_owner)
    return {"ServerSideEncryptionConfiguration": {"Rules": [storage.rule(found.encryption)]}}


@operation("s3:PutEncryptionConfiguration", resource=the_bucket, resource_policy=its_policy, ignores=NOT_SAID)
async def put_bucket_encryption(
    ctx: Context,
    *,
    bucket: str,
    server_side_encryption_configuration: "ServerSideEncryptionConfigurationTypeDef",
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Say how objects are encrypted whose request does not say it. A key is looked at when it is used.

    Raises InvalidArgument, MalformedXML.
    """
    await bucket_of(ctx, bucket, expected_bucket_owner)
    default = storage.default(server_side_encryption_configuration["Rules"])
    await _change(ctx, bucket, encryption=storage.stored_members(default))
    return {}


@operation("s3:PutEncryptionConfiguration", resource=the_bucket, resource_policy=its_policy)
async def delete_bucket_encryption(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Have objects encrypted by S3 again."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    await _change(ctx, bucket, encryption={})
    return {}


async def _change(ctx: Context, name: str, **changes: Any) -> None:
    def change(tx: Tx) -> None:
        BUCKETS.put(tx, name, dataclasses.replace(records.existing(tx, name), **changes))

    await ctx.store.write(change)
