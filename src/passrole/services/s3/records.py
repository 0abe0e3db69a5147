"""Buckets as they are stored, and which one a call means.

It knows no objects. A bucket is a document and a folder; a folder that nobody created as a bucket is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.s3.names import bucket_arn, object_arn
from passrole.services.s3.refusals import no_such_bucket, wrong_owner
from passrole.services.s3.temporary_files import folder
from passrole.store import Collection, Tx

# Since April 2023 every new bucket begins so.
BLOCKED: Mapping[str, bool] = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


@dataclass(frozen=True)
class Bucket:
    """A bucket; `created` in epoch seconds, `policy` as the text that was put.

    `tags` by key. `public_access` is the configuration that blocks it, in AWS's spelling; None once deleted.
    `encryption` is that of objects whose request names none, as storage.py stores it.
    """

    name: str
    account: str
    region: str
    created: float
    policy: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    public_access: Mapping[str, bool] | None = field(default_factory=lambda: dict(BLOCKED))
    encryption: Mapping[str, Any] = field(default_factory=dict)


BUCKETS = Collection("s3_buckets", Bucket)


def the_bucket(_ctx: Context, parameters: Mapping[str, Any]) -> str:
    """The ARN of the bucket in the call."""
    return bucket_arn(parameters["bucket"])


def the_object(_ctx: Context, parameters: Mapping[str, Any]) -> str:
    """The ARN of the object in the call."""
    return object_arn(parameters["bucket"], parameters["key"])


async def its_policy(ctx: Context, parameters: Mapping[str, Any]) -> str | None:
    """The policy of the bucket in the call; that of a bucket elsewhere is for its endpoint to evaluate."""
    if ctx.config.s3_endpoint:
        return None
    bucket = await ctx.store.read(lambda tx: BUCKETS.get(tx, parameters["bucket"]))
    return bucket.policy if bucket else None


def listing_keys(_ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition keys of a call that lists."""
    found = {
        "s3:prefix": parameters.get("prefix"),
        "s3:delimiter": parameters.get("delimiter"),
        "s3:max-keys": parameters.get("max_keys"),
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def header_keys(_ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition keys of a call on an object or a bucket, from the headers it was sent with."""
    found = {name: parameters.get(parameter) for name, parameter in _HEADER_KEYS.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def version_keys(_ctx: Context, parameters: Mapping[str, Any]) -> Mapping[str, Values]:
    """The condition key of a call that names a version of its object."""
    version = parameters.get("version_id")
    return {} if version is None else {"s3:versionid": str(version)}


def existing(tx: Tx, name: str) -> Bucket:
    """The bucket of a name. Raises NoSuchBucket."""
    return BUCKETS.require(tx, name, lambda: no_such_bucket(name))


async def bucket_of(ctx: Context, name: str, owner: str | None = None) -> Bucket:
    """The bucket of a name, if it belongs to the expected owner. Raises NoSuchBucket, AccessDenied."""
    bucket = await ctx.store.read(lambda tx: existing(tx, name))
    if owner is not None and owner != bucket.account:
        raise wrong_owner()
    return bucket


def root(ctx: Context, bucket: str) -> Path:
    """The folder of a bucket that exists."""
    return folder(ctx) / bucket


_HEADER_KEYS = {
    "s3:x-amz-server-side-encryption-aws-kms-key-id": "ssekms_key_id",
    "s3:if-match": "if_match",
    "s3:if-none-match": "if_none_match",
    "s3:x-amz-acl": "acl",
    "s3:x-amz-metadata-directive": "metadata_directive",
    "s3:x-amz-object-ownership": "object_ownership",
    "s3:x-amz-server-side-encryption": "server_side_encryption",
    "s3:x-amz-storage-class": "storage_class",
    "s3:x-amz-website-redirect-location": "website_redirect_location",
}
