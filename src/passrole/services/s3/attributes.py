"""GetObjectAttributes."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole.services.context import Context
from passrole.services.operation import Permission, operation
from passrole.services.s3 import objects, paging, storage, versions
from passrole.services.s3.object_headers import checksum_members
from passrole.services.s3.records import bucket_of, its_policy, the_object, version_keys
from passrole.services.s3.refusals import invalid_argument
from passrole.services.s3.rows import ObjectMetadata

ATTRIBUTES = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})


def _reading(ctx: Context, parameters: Mapping[str, Any]) -> Sequence[Permission]:
    """S3 asks for the permission to read the object, or the version of it, as well.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
    """
    action = "s3:GetObject" if parameters.get("version_id") is None else "s3:GetObjectVersion"
    return (Permission(action, the_object(ctx, parameters), version_keys(ctx, parameters)),)


@operation(
    "s3:GetObjectAttributes",
    versioned="s3:GetObjectVersionAttributes",
    resource=the_object,
    resource_policy=its_policy,
    keys=version_keys,
    also=_reading,
    ignores=("request_payer",),
)
async def get_object_attributes(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    object_attributes: Sequence[str],
    expected_bucket_owner: str | None = None,
    max_parts: int | None = None,
    part_number_marker: int | str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """The attributes that are asked for, of those that the object has."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    if set(object_attributes) - ATTRIBUTES or not object_attributes:
        message = "Invalid attribute name specified."
        raise invalid_argument(message, "x-amz-object-attributes", ",".join(object_attributes))
    found = await objects.existing(ctx, bucket, key)
    object_metadata = found.record.metadata
    attributes: Mapping[str, Any] = {
        "ETag": found.record.etag,  # here alone without its quotes
        "Checksum": checksum_members(object_metadata.checksums),
        "ObjectParts": _parts(
            object_metadata, paging.limit(max_parts, "max-parts"), int(part_number_marker or 0)
        ),
        "StorageClass": storage.from_stored(object_metadata.storage).class_,
        "ObjectSize": found.identity.size,
    }
    requested = {name: attributes[name] for name in object_attributes if attributes[name] not in ({}, None)}
    return {"LastModified": float(int(found.identity.modified)), **requested}


def _parts(object_metadata: ObjectMetadata, limit: int, after: int) -> dict[str, Any]:
    """The number of parts, and where they have checksums a page of them."""
    if object_metadata.parts is None:
        return {}
    answer: dict[str, Any] = {"TotalPartsCount": object_metadata.parts}
    if not object_metadata.part_checksums or not object_metadata.checksums:
        return answer
    (name,) = tuple(object_metadata.checksums)[:1]
    rest = [
        {"PartNumber": number, "Size": size, name: checksum}
        for number, (size, checksum) in enumerate(
            zip(object_metadata.part_sizes, object_metadata.part_checksums, strict=True), 1
        )
        if number > after
    ]
    page = rest[:limit]
    return answer | {
        "PartNumberMarker": after,
        "NextPartNumberMarker": page[-1]["PartNumber"] if page else after,
        "MaxParts": limit,
        "IsTruncated": len(rest) > len(page),
        "Parts": page,
    }
