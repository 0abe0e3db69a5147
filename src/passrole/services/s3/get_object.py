"""GetObject and HeadObject."""

from typing import Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import kms_keys, objects, versions
from passrole.services.s3.conditions import Conditions, byte_range, check_read, part_range
from passrole.services.s3.object_headers import object_members
from passrole.services.s3.objects import Object
from passrole.services.s3.records import bucket_of, its_policy, the_object, version_keys
from passrole.services.s3.refusals import busy, invalid_request, not_implemented

READS_MAX = 10  # for an object that is replaced while it is read
Span = tuple[int, int] | None

_reads = operation(
    "s3:GetObject",
    versioned="s3:GetObjectVersion",
    resource=the_object,
    resource_policy=its_policy,
    keys=version_keys,
    ignores=("request_payer",),
)


@_reads
async def get_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: float | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: float | None = None,
    part_number: int | None = None,
    range_: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: float | None = None,
    checksum_mode: str | None = None,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """An object's bytes, or a range of them, with its headers and metadata."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    conditions = Conditions(ctx.clock(), if_match, if_none_match, if_modified_since, if_unmodified_since)
    found, part, body = await _read(ctx, bucket, key, conditions, range_, part_number)
    answer = _answer(found, part, checksum_mode, part_number)
    answer |= without_none(
        CacheControl=response_cache_control,
        ContentDisposition=response_content_disposition,
        ContentEncoding=response_content_encoding,
        ContentLanguage=response_content_language,
        ContentType=response_content_type,
        Expires=response_expires,
    )
    answer |= await _tag_count(ctx, found)
    return answer | {"Body": body, "ContentLength": len(body)}


@_reads
async def head_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: float | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: float | None = None,
    part_number: int | None = None,
    range_: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: float | None = None,
    checksum_mode: str | None = None,
    expected_bucket_owner: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """The headers of GetObject without the bytes."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    versions.check(version_id)
    conditions = Conditions(ctx.clock(), if_match, if_none_match, if_modified_since, if_unmodified_since)
    found = await _found(ctx, bucket, key, conditions)
    answer = _answer(found, _span(found, range_, part_number), checksum_mode, part_number)
    answer |= without_none(
        CacheControl=response_cache_control,
        ContentDisposition=response_content_disposition,
        ContentEncoding=response_content_encoding,
        ContentLanguage=response_content_language,
        ContentType=response_content_type,
        Expires=response_expires,
    )
    return answer | await _tag_count(ctx, found)


async def _read(
    ctx: Context, bucket: str, key: str, conditions: Conditions, range_: str | None, part_number: int | None
) -> tuple[Object, Span, bytes]:
    """The object, the requested range and its bytes, all of one state of the file.

    Raises NoSuchKey, AccessDenied, PreconditionFailed, NotModified, InvalidRange, InvalidPartNumber,
    InvalidRequest, NotImplemented, OperationAborted.
    """
    for _ in range(READS_MAX):
        found = await _found(ctx, bucket, key, conditions)
        part = _span(found, range_, part_number)
        await kms_keys.check_read(ctx, found)
        start, stop = part or (0, found.identity.size)
        body = await objects.read(ctx, found, start, stop)
        if body is not None:
            return found, part, body
    raise busy()


async def _found(ctx: Context, bucket: str, key: str, conditions: Conditions) -> Object:
    found = await objects.existing(ctx, bucket, key)
    check_read(conditions, found.record.etag, found.identity.modified)
    return found


def _span(found: Object, range_: str | None, part_number: int | None) -> Span:
    """The requested bytes, by Range or by part number. Raises InvalidRange, InvalidPartNumber."""
    if part_number is None:
        return byte_range(range_, found.identity.size)
    if range_ is not None:
        raise invalid_request("Cannot specify both Range header and partNumber query parameter")
    object_metadata = found.record.metadata
    if object_metadata.parts is not None and not object_metadata.part_sizes:
        raise not_implemented("partNumber")  # put together before the sizes of parts were kept
    return part_range(part_number, object_metadata.part_sizes or (found.identity.size,))


def _answer(found: Object, part: Span, checksum_mode: str | None, part_number: int | None) -> dict[str, Any]:
    """A part of an object has no checksum of its own."""
    answer = object_members(found, checksums=checksum_mode == "ENABLED" and part is None)
    if part_number is not None and found.record.metadata.parts is not None:
        answer["PartsCount"] = found.record.metadata.parts
    if part is None:
        return answer
    start, stop = part
    content_range = f"bytes {start}-{stop - 1}/{found.identity.size}"
    return answer | {"ContentLength": stop - start, "ContentRange": content_range}


async def _tag_count(ctx: Context, found: Object) -> dict[str, int]:
    """The number of tags, for who may read them as well, as S3 documents it."""
    tags = found.record.metadata.tags
    if not tags:
        return {}
    try:
        await ctx.call("s3", "GetObjectTagging", {"Bucket": found.bucket, "Key": found.key})
    except Fault:
        return {}
    return {"TagCount": len(tags)}
