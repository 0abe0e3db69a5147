"""PutObject."""

from collections.abc import Mapping
from typing import Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import (
    checksums,
    kms_keys,
    names,
    object_headers,
    objects,
    storage,
    temporary_files,
    write_permissions,
)
from passrole.services.s3.records import bucket_of, its_policy, the_object
from passrole.services.s3.refusals import (
    unfit_key,
)
from passrole.services.s3.rows import ObjectMetadata, ObjectRecord
from passrole.services.s3.temporary_files import Written

IGNORED = ("checksum_algorithm", "content_length", "request_payer")


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.creation_keys,
    also=write_permissions.tag_and_acl_permissions,
    ignores=IGNORED,
)
async def put_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    body: bytes = b"",
    acl: str | None = None,
    cache_control: str | None = None,
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_md5: str | None = None,
    content_type: str | None = None,
    expected_bucket_owner: str | None = None,
    expires: float | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: Mapping[str, str] | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    storage_class: str | None = None,
    tagging: str | None = None,
    website_redirect_location: str | None = None,
    bucket_key_enabled: bool | None = None,
) -> dict[str, Any]:
    """Write an object: the file is there as a whole or not at all, and on the disk when this returns."""
    asked = (acl, storage_class, server_side_encryption, ssekms_key_id, bucket_key_enabled)
    stored = storage.requested((await bucket_of(ctx, bucket, expected_bucket_owner)).encryption, *asked)
    given = checksums.given(
        crc32=checksum_crc32,
        crc32c=checksum_crc32_c,
        crc64nvme=checksum_crc64_nvme,
        sha1=checksum_sha1,
        sha256=checksum_sha256,
    )
    headers = without_none(
        CacheControl=cache_control,
        ContentDisposition=content_disposition,
        ContentEncoding=content_encoding,
        ContentLanguage=content_language,
        ContentType=content_type,
        Expires=expires,
        WebsiteRedirectLocation=website_redirect_location,
    )
    tags = object_headers.header_tags(tagging)
    names.segments(key)
    stored = await kms_keys.with_data_key(ctx, stored, bucket, key)
    object_metadata = ObjectMetadata(
        headers, object_headers.check_metadata(metadata), given, tags, storage=storage.stored_members(stored)
    )
    condition = await objects.expected(ctx, bucket, key, if_match, if_none_match)
    written = await temporary_files.write(temporary_files.work(ctx), (body,), given)
    _check_written(written, given, content_md5)
    await place(ctx, bucket, key, written, object_metadata, condition)
    tag = {"ETag": object_headers.quoted(written.etag)}
    return tag | object_headers.checksum_members(given) | storage.members(stored)


async def place(
    ctx: Context,
    bucket: str,
    key: str,
    written: Written,
    object_metadata: ObjectMetadata,
    condition: objects.Expected | None,
) -> None:
    """Put a temporary file under a key; under a key that ends in a slash, a folder marker.

    Raises NoSuchBucket, InvalidRequest, ConditionalRequestConflict.
    """
    record = ObjectRecord(written.etag, object_metadata)
    if not names.is_marker(key):
        await objects.put(ctx, bucket, key, written, record, condition=condition)
        return
    written.path.unlink()
    if written.identity.size:
        raise unfit_key(key, "a key that ends in a slash is a folder, which has no bytes")
    await objects.put_marker(ctx, bucket, key, record, condition=condition)


def _check_written(written: Written, given: Mapping[str, str], content_md5: str | None) -> None:
    try:
        checksums.check(written.digests, given, content_md5)
    except Fault:
        written.path.unlink(missing_ok=True)
        raise
