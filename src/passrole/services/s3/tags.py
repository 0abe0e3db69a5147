"""GetObjectTagging, PutObjectTagging, DeleteObjectTagging."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import objects, versions
from passrole.services.s3.object_headers import check_tags
from passrole.services.s3.records import bucket_of, its_policy, the_object, version_keys
from passrole.services.s3.write_permissions import request_tags
from passrole.services.tags import to_list

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TaggingTypeDef


def tag_keys(ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition keys of a call that brings tags."""
    tags = (parameters["tagging"] or {}).get("TagSet") or []
    given = request_tags({tag["Key"]: tag["Value"] for tag in tags})
    return {**given, **version_keys(ctx, parameters)}


@operation(
    "s3:GetObjectTagging",
    versioned="s3:GetObjectVersionTagging",
    resource=the_object,
    resource_policy=its_policy,
    keys=version_keys,
    ignores=("request_payer",),
)
async def get_object_tagging(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """The tags of an object."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    tags = (await objects.existing(ctx, bucket, key)).record.metadata.tags
    return {"TagSet": to_list(tags)}


@operation(
    "s3:PutObjectTagging",
    versioned="s3:PutObjectVersionTagging",
    resource=the_object,
    resource_policy=its_policy,
    keys=tag_keys,
    ignores=("checksum_algorithm", "content_md5", "request_payer"),
)
async def put_object_tagging(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    tagging: "TaggingTypeDef",
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """Set the tags of an object, in place of those that it has."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    await _tag(ctx, bucket, key, check_tags(tagging.get("TagSet") or []))
    return {}


@operation(
    "s3:DeleteObjectTagging",
    versioned="s3:DeleteObjectVersionTagging",
    resource=the_object,
    resource_policy=its_policy,
    keys=version_keys,
)
async def delete_object_tagging(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """Remove all tags of an object."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    await _tag(ctx, bucket, key, {})
    return {}


async def _tag(ctx: Context, bucket: str, key: str, tags: Mapping[str, str]) -> None:
    found = await objects.existing(ctx, bucket, key)
    await objects.change(ctx, found, dataclasses.replace(found.record.metadata, tags=tags))
