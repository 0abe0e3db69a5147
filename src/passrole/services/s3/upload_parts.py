"""CreateMultipartUpload, UploadPart, UploadPartCopy, AbortMultipartUpload."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from typing import Any

from passrole import trees
from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import (
    checksums,
    kms_keys,
    names,
    object_headers,
    storage,
    temporary_files,
    write_permissions,
)
from passrole.services.s3.conditions import PART_NUMBER_MAX
from passrole.services.s3.copy_object import copy_bytes, source_of
from passrole.services.s3.multipart_uploads import (
    Part,
    Upload,
    delete_upload,
    existing_upload,
    put_part,
    put_upload,
)
from passrole.services.s3.put_object import IGNORED
from passrole.services.s3.records import bucket_of, its_policy, root, the_object
from passrole.services.s3.refusals import invalid_argument, unfit_key
from passrole.services.s3.temporary_files import Written
from passrole.services.s3.turns import turn
from passrole.store import Tx

_COPY_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})", re.ASCII)


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.upload_keys,
    also=write_permissions.tag_and_acl_permissions,
    ignores=("request_payer",),
)
async def create_multipart_upload(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    acl: str | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    expected_bucket_owner: str | None = None,
    expires: float | None = None,
    metadata: Mapping[str, str] | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    storage_class: str | None = None,
    tagging: str | None = None,
    website_redirect_location: str | None = None,
    bucket_key_enabled: bool | None = None,
) -> dict[str, Any]:
    """Begin an upload; there is no object before it is completed."""
    asked = (acl, storage_class, server_side_encryption, ssekms_key_id, bucket_key_enabled)
    stored = storage.requested((await bucket_of(ctx, bucket, expected_bucket_owner)).encryption, *asked)
    names.segments(key)
    if names.is_marker(key):
        raise unfit_key(key, "a key that ends in a slash is a folder, which has no bytes")
    stored = await kms_keys.with_data_key(ctx, stored, bucket, key)
    headers = without_none(
        CacheControl=cache_control,
        ContentDisposition=content_disposition,
        ContentEncoding=content_encoding,
        ContentLanguage=content_language,
        ContentType=content_type,
        Expires=expires,
        WebsiteRedirectLocation=website_redirect_location,
    )
    upload = Upload(
        secrets.token_urlsafe(48),
        bucket,
        key,
        ctx.clock(),
        ctx.principal.arn,
        headers,
        object_headers.check_metadata(metadata),
        object_headers.header_tags(tagging),
        _checksum(checksum_algorithm),
        checksum_type == "FULL_OBJECT" or (checksum_algorithm == "CRC64NVME"),
        storage.stored_members(stored),
    )
    await ctx.store.write(lambda tx: put_upload(tx, upload))
    answer = {"Bucket": bucket, "Key": key, "UploadId": upload.id, **storage.members(stored)}
    if checksum_algorithm:
        answer["ChecksumAlgorithm"] = checksum_algorithm
        answer["ChecksumType"] = "FULL_OBJECT" if upload.full else "COMPOSITE"
    return answer


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.upload_keys,
    ignores=IGNORED,
)
async def upload_part(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    part_number: int,
    upload_id: str,
    body: bytes = b"",
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
    content_md5: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Upload a part, in place of the one with its number."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    upload = await _upload(ctx, bucket, key, upload_id, part_number)
    given = checksums.given(
        crc32=checksum_crc32,
        crc32c=checksum_crc32_c,
        crc64nvme=checksum_crc64_nvme,
        sha1=checksum_sha1,
        sha256=checksum_sha256,
    )
    written = await temporary_files.write(
        temporary_files.work(ctx, upload.id), (body,), {*given, upload.checksum or ""}
    )
    try:
        checksums.check(written.digests, given, content_md5)
    except Fault:
        written.path.unlink(missing_ok=True)
        raise
    part = await _kept(ctx, upload, part_number, written, given)
    return {"ETag": object_headers.quoted(part.etag), **given, **_encryption(upload)}


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.upload_keys,
    ignores=("request_payer",),
)
async def upload_part_copy(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    copy_source: str,
    part_number: int,
    upload_id: str,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: float | None = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: float | None = None,
    copy_source_range: str | None = None,
    expected_bucket_owner: str | None = None,
    expected_source_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """Make a part of an object, or of a range of it."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    upload = await _upload(ctx, bucket, key, upload_id, part_number)
    conditions = {
        "IfMatch": copy_source_if_match,
        "IfModifiedSince": copy_source_if_modified_since,
        "IfNoneMatch": copy_source_if_none_match,
        "IfUnmodifiedSince": copy_source_if_unmodified_since,
        "ExpectedBucketOwner": expected_source_bucket_owner,
    }
    source = await source_of(ctx, copy_source, conditions)
    start, stop = _copy_range(copy_source_range, source.identity.size)
    written = await copy_bytes(ctx, source, start, stop, temporary_files.work(ctx, upload.id))
    part = await _kept(ctx, upload, part_number, written, {})
    result = {"ETag": object_headers.quoted(part.etag), "LastModified": part.modified}
    return {"CopyPartResult": result, **_encryption(upload)}


@operation(
    "s3:AbortMultipartUpload", resource=the_object, resource_policy=its_policy, ignores=("request_payer",)
)
async def abort_multipart_upload(
    ctx: Context, *, bucket: str, key: str, upload_id: str, expected_bucket_owner: str | None = None
) -> dict[str, Any]:
    """Abort an upload and delete its parts."""
    await bucket_of(ctx, bucket, expected_bucket_owner)

    def abort(tx: Tx) -> None:
        delete_upload(tx, existing_upload(tx, bucket, key, upload_id))

    async with turn(root(ctx, bucket), key):
        await ctx.store.write(abort)
    await asyncio.to_thread(trees.remove, temporary_files.work(ctx, upload_id))
    return {}


def _encryption(upload: Upload) -> dict[str, Any]:
    return storage.members(storage.from_stored(upload.storage))


def _checksum(algorithm: str | None) -> str | None:
    if algorithm is not None and algorithm not in checksums.ALGORITHMS:
        message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
        valid = ", ".join(checksums.ALGORITHMS)
        raise invalid_argument(f"{message} [{valid}]", "x-amz-checksum-algorithm", algorithm)
    return checksums.ALGORITHMS[algorithm] if algorithm else None


async def _upload(ctx: Context, bucket: str, key: str, upload_id: str, part_number: int) -> Upload:
    if not 1 <= part_number <= PART_NUMBER_MAX:
        limit = f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive"
        raise invalid_argument(limit, "partNumber", part_number)
    upload = await ctx.store.read(lambda tx: existing_upload(tx, bucket, key, upload_id))
    await kms_keys.check(ctx, storage.from_stored(upload.storage), bucket, key)
    return upload


async def _kept(
    ctx: Context, upload: Upload, number: int, written: Written, given: Mapping[str, str]
) -> Part:
    """The part, once it is on the disk. Raises NoSuchUpload where the upload has ended meanwhile."""
    sums = dict(given)
    if upload.checksum in written.digests:
        sums[upload.checksum] = checksums.encoded(written.digests[upload.checksum])
    identity = written.identity
    part = Part(number, written.path.name, identity.size, written.etag, identity.modified, sums)

    def keep(tx: Tx) -> str | None:
        existing_upload(tx, upload.bucket, upload.key, upload.id)
        return put_part(tx, upload.id, part)

    await asyncio.to_thread(temporary_files.sync, written.path.parent)
    try:
        replaced = await ctx.store.write(keep)
    except Fault:
        await asyncio.to_thread(trees.remove, written.path.parent)
        raise
    if replaced is not None:
        (written.path.parent / replaced).unlink(missing_ok=True)
    return part


def _copy_range(text: str | None, size: int) -> tuple[int, int]:
    if text is None:
        return 0, size
    match = _COPY_RANGE.fullmatch(text)
    if match is None:
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last"
            " are the zero-based offsets of the first and last bytes to copy"
        )
        raise invalid_argument(message, "x-amz-copy-source-range", text)
    start, last = int(match[1]), int(match[2])
    if not start <= last < size:
        message = f"Range specified is not valid for source object of size: {size}"
        raise invalid_argument(message, "x-amz-copy-source-range", text)
    return start, last + 1
