"""PutObject and CopyObject."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import (
    checksums,
    copy_sources,
    names,
    object_headers,
    objects,
    storage,
    temporary_files,
    write_permissions,
)
from passrole.services.s3.objects import Object
from passrole.services.s3.records import bucket_of, its_policy, the_object
from passrole.services.s3.refusals import (
    busy,
    invalid_request,
    precondition_failed,
    unfit_key,
)
from passrole.services.s3.rows import About, Known
from passrole.services.s3.temporary_files import Written

NOT_SAID = ("checksum_algorithm", "content_length", "request_payer")


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.creating,
    also=write_permissions.beside,
    ignores=NOT_SAID,
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
    inside = await bucket_of(ctx, bucket, expected_bucket_owner)
    stored = storage.asked(
        inside, acl, storage_class, server_side_encryption, ssekms_key_id, bucket_key_enabled
    )
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
    about = About(headers, object_headers.check_metadata(metadata), given, tags, storage=storage.kept(stored))
    names.segments(key)
    condition = await objects.expected(ctx, bucket, key, if_match, if_none_match)
    written = await temporary_files.write(temporary_files.work(ctx), (body,), given)
    _check_written(written, given, content_md5)
    await _placed(ctx, bucket, key, written, about, condition)
    return {
        "ETag": object_headers.quoted(written.etag),
        **object_headers.told_checksums(given),
        **storage.told(stored),
    }


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.creating,
    also=write_permissions.copied,
    ignores=NOT_SAID[:1] + NOT_SAID[2:],
)
async def copy_object(
    ctx: Context,
    *,
    bucket: str,
    key: str,
    copy_source: str,
    acl: str | None = None,
    cache_control: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: float | None = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: float | None = None,
    expected_bucket_owner: str | None = None,
    expected_source_bucket_owner: str | None = None,
    expires: float | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: Mapping[str, str] | None = None,
    metadata_directive: str | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    storage_class: str | None = None,
    tagging: str | None = None,
    tagging_directive: str | None = None,
    website_redirect_location: str | None = None,
    bucket_key_enabled: bool | None = None,
) -> dict[str, Any]:
    """Copy an object, with what is said of it or with something new."""
    inside = await bucket_of(ctx, bucket, expected_bucket_owner)
    stored = storage.asked(
        inside, acl, storage_class, server_side_encryption, ssekms_key_id, bucket_key_enabled
    )
    source = await source_of(
        ctx,
        copy_source,
        {
            "IfMatch": copy_source_if_match,
            "IfModifiedSince": copy_source_if_modified_since,
            "IfNoneMatch": copy_source_if_none_match,
            "IfUnmodifiedSince": copy_source_if_unmodified_since,
            "ExpectedBucketOwner": expected_source_bucket_owner,
        },
    )
    new_headers = without_none(
        CacheControl=cache_control,
        ContentDisposition=content_disposition,
        ContentEncoding=content_encoding,
        ContentLanguage=content_language,
        ContentType=content_type,
        Expires=expires,
        WebsiteRedirectLocation=website_redirect_location,
    )
    replaces = object_headers.directive(metadata_directive, "metadata")
    changes = replaces or any((storage_class, server_side_encryption, website_redirect_location))
    if (source.bucket, source.key) == (bucket, key) and not changes:
        raise invalid_request(_ONTO_ITSELF)
    old = source.known.about
    # The checksums are of the same bytes, but those of parts are of parts that a copy has not.
    kept = {name: value for name, value in old.checksums.items() if "-" not in value}
    about = About(
        headers=_copied_headers(old.headers, new_headers, replaces=replaces),
        metadata=object_headers.check_metadata(metadata) if replaces else old.metadata,
        checksums=kept,
        tags=object_headers.header_tags(tagging)
        if object_headers.directive(tagging_directive, "tagging")
        else old.tags,
        storage=storage.kept(stored),
    )
    names.segments(key)
    condition = await objects.expected(ctx, bucket, key, if_match, if_none_match)
    written = await copied(ctx, source, 0, source.identity.size, temporary_files.work(ctx))
    await _placed(ctx, bucket, key, written, about, condition)
    result = {"ETag": object_headers.quoted(written.etag), "LastModified": written.identity.modified}
    return {"CopyObjectResult": {**result, **object_headers.told_checksums(kept)}, **storage.told(stored)}


async def source_of(ctx: Context, copy_source: str, conditions: Mapping[str, Any]) -> Object:
    """The object that a copy is made of. Raises Fault."""
    return await objects.existing(ctx, *await check_source(ctx, copy_source, conditions))


async def check_source(ctx: Context, copy_source: str, conditions: Mapping[str, Any]) -> tuple[str, str]:
    """The bucket and the key that a copy is made of, which the caller may read. Raises Fault.

    It is asked for through the door, so that `s3:GetObject` on it is really decided, its bucket's policy
    included. `conditions` are HeadObject's parameters.
    """
    bucket, key = copy_sources.named(copy_source)
    wanted = {**conditions, "VersionId": copy_sources.version(copy_source)}
    given = without_none(**wanted)
    try:
        await ctx.call("s3", "HeadObject", {"Bucket": bucket, "Key": key, **given})
    except Fault as fault:
        if fault.code in ("NotModified", "PreconditionFailed"):
            raise precondition_failed(f"x-amz-copy-source-{fault.members['Condition']}") from None
        raise
    return bucket, key


async def copied(ctx: Context, source: Object, start: int, stop: int, where: Path) -> Written:
    """A temporary file with bytes of an object."""
    if names.is_marker(source.key):
        return await temporary_files.write(where, ())
    file = objects.opened(ctx, source)
    if file is None:
        raise busy()
    return await temporary_files.write(where, temporary_files.pieces(file, start, stop))


def _copied_headers(
    old: Mapping[str, str | float], new: Mapping[str, str | float], *, replaces: bool
) -> Mapping[str, str | float]:
    """What is said of a copy: where it leads to on a website is never the source's, but the request's."""
    if replaces:
        return new
    where = "WebsiteRedirectLocation"
    kept = {name: value for name, value in old.items() if name != where}
    return kept | {name: value for name, value in new.items() if name == where}


def _check_written(written: Written, given: Mapping[str, str], content_md5: str | None) -> None:
    try:
        checksums.check(written.digests, given, content_md5)
    except Fault:
        written.path.unlink(missing_ok=True)
        raise


async def _placed(
    ctx: Context, bucket: str, key: str, written: Written, about: About, condition: objects.Expected | None
) -> None:
    known = Known(written.etag, about)
    if not names.is_marker(key):
        await objects.put(ctx, bucket, key, written, known, condition=condition)
        return
    written.path.unlink()
    if written.identity.size:
        raise unfit_key(key, "a key that ends in a slash is a folder, which has no bytes")
    await objects.put_marker(ctx, bucket, key, known)


_ONTO_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the"
    " object's metadata, storage class, website redirect location or encryption attributes."
)
