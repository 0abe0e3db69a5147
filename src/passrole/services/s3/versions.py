"""A bucket without versioning, which every bucket here is: GetBucketVersioning, PutBucketVersioning,
ListObjectVersions, and the one version that an object has, `null`.

docs/decisions/0005-no-versions-of-objects.md says why.
"""

from collections.abc import Mapping
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import list_objects
from passrole.services.s3.records import bucket_of, its_policy, listing_keys, the_bucket
from passrole.services.s3.refusals import invalid_argument, malformed_xml, not_implemented

NULL = "null"


def check(version_id: str | None) -> None:
    """Refuse a version that no object of a bucket without versioning has. Raises InvalidArgument."""
    if version_id not in (None, NULL):
        raise invalid_argument("Invalid version id specified", "versionId", version_id)


@operation("s3:GetBucketVersioning", resource=the_bucket, resource_policy=its_policy)
async def get_bucket_versioning(
    ctx: Context, *, bucket: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Nothing, as for a bucket whose versioning was never switched on."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    return {}


@operation(
    "s3:PutBucketVersioning",
    resource=the_bucket,
    resource_policy=its_policy,
    ignores=("checksum_algorithm", "content_md5", "mfa"),
)
async def put_bucket_versioning(
    ctx: Context,
    *,
    bucket: str,
    versioning_configuration: Mapping[str, Any],
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Refused, because versions would not be kept."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    if versioning_configuration.get("Status") not in (None, "Enabled", "Suspended"):
        raise malformed_xml()
    raise not_implemented("versioning", "passrole keeps no versions of objects")


@operation(
    "s3:ListBucketVersions",
    resource=the_bucket,
    resource_policy=its_policy,
    keys=listing_keys,
    ignores=("optional_object_attributes", "request_payer"),
)
async def list_object_versions(
    ctx: Context,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    version_id_marker: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """A page of the bucket's keys, each as the only version of its object."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    if version_id_marker is not None:
        if not key_marker:
            message = "A version-id marker cannot be specified without a key marker."
            raise invalid_argument(message, "version-id-marker", version_id_marker)
        check(version_id_marker)
    wanted = list_objects.ListRequest(bucket, prefix or "", delimiter or "", max_keys, encoding_type)
    answer, last = await list_objects.by_marker(ctx, wanted, key_marker or "")
    answer |= {"KeyMarker": wanted.write(key_marker or ""), "VersionIdMarker": version_id_marker or ""}
    contents = answer.pop("Contents", ())
    if contents:
        answer["Versions"] = [{**each, "VersionId": NULL, "IsLatest": True} for each in contents]
    if last is not None:
        answer |= {"NextKeyMarker": last, "NextVersionIdMarker": NULL}
    return answer
