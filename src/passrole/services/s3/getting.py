"""GetObject and HeadObject."""

from typing import Any

from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import objects
from passrole.services.s3.conditions import Conditions, byte_range, check_read
from passrole.services.s3.objects import Object
from passrole.services.s3.refusals import busy
from passrole.services.s3.registry import bucket_of, its_policy, the_object
from passrole.services.s3.saying import described, kept_headers

READS_MAX = 10  # for an object that is replaced while it is read


@operation("s3:GetObject", resource=the_object, resource_policy=its_policy, ignores=("request_payer",))
async def get_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: float | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: float | None = None,
    range_: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: float | None = None,
    checksum_mode: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """An object's bytes, or a range of them, with what its writer said of it."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    conditions = Conditions(if_match, if_none_match, if_modified_since, if_unmodified_since)
    found, part, body = await _read(ctx, bucket, key, conditions, range_)
    overrides = kept_headers(
        CacheControl=response_cache_control,
        ContentDisposition=response_content_disposition,
        ContentEncoding=response_content_encoding,
        ContentLanguage=response_content_language,
        ContentType=response_content_type,
        Expires=response_expires,
    )
    answer = _answer(found, part, checksum_mode) | overrides | {"Body": body, "ContentLength": len(body)}
    tags = found.known.about.tags
    return answer | ({"TagCount": len(tags)} if tags else {})


@operation("s3:GetObject", resource=the_object, resource_policy=its_policy, ignores=("request_payer",))
async def head_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_modified_since: float | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: float | None = None,
    range_: str | None = None,
    checksum_mode: str | None = None,
    expected_bucket_owner: str | None = None,
) -> dict[str, Any]:
    """What GetObject tells beside the bytes."""
    await bucket_of(ctx, bucket, expected_bucket_owner)
    conditions = Conditions(if_match, if_none_match, if_modified_since, if_unmodified_since)
    found = await _met(ctx, bucket, key, conditions)
    return _answer(found, byte_range(range_, found.identity.size), checksum_mode)


async def _read(
    ctx: Context, bucket: str, key: str, conditions: Conditions, range_: str | None
) -> tuple[Object, tuple[int, int] | None, bytes]:
    """The object, the range that is meant, and its bytes; all of one state of the file. Raises Fault."""
    for _ in range(READS_MAX):
        found = await _met(ctx, bucket, key, conditions)
        part = byte_range(range_, found.identity.size)
        start, stop = part or (0, found.identity.size)
        body = await objects.read(ctx, found, start, stop)
        if body is not None:
            return found, part, body
    raise busy()


async def _met(ctx: Context, bucket: str, key: str, conditions: Conditions) -> Object:
    found = await objects.existing(ctx, bucket, key)
    check_read(conditions, found.known.etag, found.identity.modified)
    return found


def _answer(found: Object, part: tuple[int, int] | None, checksum_mode: str | None) -> dict[str, Any]:
    """A part of an object has no checksum of its own."""
    answer = described(found, checksums=checksum_mode == "ENABLED" and part is None)
    if part is None:
        return answer
    start, stop = part
    content_range = f"bytes {start}-{stop - 1}/{found.identity.size}"
    return answer | {"ContentLength": stop - start, "ContentRange": content_range}
