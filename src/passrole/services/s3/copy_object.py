"""CopyObject, and the source of a copy, which the caller must be allowed to read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.s3 import (
    copy_sources,
    kms_keys,
    names,
    object_headers,
    objects,
    storage,
    temporary_files,
    write_permissions,
)
from passrole.services.s3.conditions import Conditions, check_read
from passrole.services.s3.objects import Object
from passrole.services.s3.put_object import place
from passrole.services.s3.records import bucket_of, its_policy, the_object
from passrole.services.s3.refusals import busy, invalid_request, precondition_failed
from passrole.services.s3.rows import ObjectMetadata
from passrole.services.s3.storage import Storage
from passrole.services.s3.temporary_files import Written


@operation(
    "s3:PutObject",
    resource=the_object,
    resource_policy=its_policy,
    keys=write_permissions.creation_keys,
    also=write_permissions.copy_permissions,
    ignores=("checksum_algorithm", "request_payer"),
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
    """Copy an object, with its headers, metadata and tags or with new ones."""
    asked = (acl, storage_class, server_side_encryption, ssekms_key_id, bucket_key_enabled)
    stored = storage.requested((await bucket_of(ctx, bucket, expected_bucket_owner)).encryption, *asked)
    conditions = {
        "IfMatch": copy_source_if_match,
        "IfModifiedSince": copy_source_if_modified_since,
        "IfNoneMatch": copy_source_if_none_match,
        "IfUnmodifiedSince": copy_source_if_unmodified_since,
        "ExpectedBucketOwner": expected_source_bucket_owner,
    }
    source = await source_of(ctx, copy_source, conditions)
    headers = without_none(
        CacheControl=cache_control,
        ContentDisposition=content_disposition,
        ContentEncoding=content_encoding,
        ContentLanguage=content_language,
        ContentType=content_type,
        Expires=expires,
        WebsiteRedirectLocation=website_redirect_location,
    )
    replaces = object_headers.directive(metadata_directive, "metadata")
    if not any((replaces, storage_class, server_side_encryption, website_redirect_location)):
        _check_elsewhere(source, bucket, key)
    stored = await kms_keys.with_data_key(ctx, stored, bucket, key)
    object_metadata = _object_metadata(
        source, headers, stored, metadata if replaces else None, replaces=replaces
    )
    if object_headers.directive(tagging_directive, "tagging"):
        object_metadata = replace(object_metadata, tags=object_headers.header_tags(tagging))
    return await _copy(ctx, bucket, key, source, object_metadata, if_match, if_none_match)


async def source_of(ctx: Context, copy_source: str, conditions: Mapping[str, Any]) -> Object:
    """The source object of a copy. Raises NoSuchKey and as `check_source`.

    The conditions are for the object whose bytes are copied, which may have replaced the one that HeadObject
    found.
    """
    found = await objects.existing(ctx, *await check_source(ctx, copy_source, conditions))
    asked = Conditions(
        ctx.clock(),
        match=conditions["IfMatch"],
        none_match=conditions["IfNoneMatch"],
        modified_since=conditions["IfModifiedSince"],
        unmodified_since=conditions["IfUnmodifiedSince"],
    )
    with _of_the_source():
        check_read(asked, found.record.etag, found.identity.modified)
    await kms_keys.check_read(ctx, found)
    return found


async def check_source(ctx: Context, copy_source: str, conditions: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key of the source, which the caller must be allowed to read. Raises PreconditionFailed.

    HeadObject is called through the door, so that `s3:GetObject` is decided, with the bucket's policy.
    `conditions` are HeadObject's parameters.
    """
    bucket, key = copy_sources.named(copy_source)
    wanted = {**conditions, "VersionId": copy_sources.version(copy_source)}
    given = without_none(**wanted)
    with _of_the_source():
        await ctx.call("s3", "HeadObject", {"Bucket": bucket, "Key": key, **given})
    return bucket, key


async def copy_bytes(ctx: Context, source: Object, start: int, stop: int, where: Path) -> Written:
    """A temporary file with bytes of an object."""
    if names.is_marker(source.key):
        return await temporary_files.write(where, ())
    file = objects.opened(ctx, source)
    if file is None:
        raise busy()
    return await temporary_files.write(where, temporary_files.pieces(file, start, stop))


@contextmanager
def _of_the_source() -> Iterator[None]:
    """A condition of a read that does not hold is told as one on the source of a copy."""
    try:
        yield
    except Fault as fault:
        if fault.code in ("NotModified", "PreconditionFailed"):
            raise precondition_failed(f"x-amz-copy-source-{fault.members['Condition']}") from None
        raise


def _check_elsewhere(source: Object, bucket: str, key: str) -> None:
    if (source.bucket, source.key) == (bucket, key):
        raise invalid_request(_ONTO_ITSELF)


def _object_metadata(
    source: Object,
    headers: Mapping[str, str | float],
    stored: Storage,
    metadata: Mapping[str, str] | None,
    *,
    replaces: bool,
) -> ObjectMetadata:
    """What is kept with a copy. Its checksums are those of the same bytes, but not those of parts."""
    old = source.record.metadata
    return ObjectMetadata(
        headers=_headers(old.headers, headers, replaces=replaces),
        metadata=object_headers.check_metadata(metadata) if replaces else old.metadata,
        checksums={name: value for name, value in old.checksums.items() if "-" not in value},
        tags=old.tags,
        storage=storage.stored_members(stored),
    )


def _headers(
    old: Mapping[str, str | float], new: Mapping[str, str | float], *, replaces: bool
) -> Mapping[str, str | float]:
    """The headers of a copy: the website redirect is never the source's, but the request's."""
    if replaces:
        return new
    redirect = "WebsiteRedirectLocation"
    kept = {name: value for name, value in old.items() if name != redirect}
    return kept | {name: value for name, value in new.items() if name == redirect}


async def _copy(
    ctx: Context,
    bucket: str,
    key: str,
    source: Object,
    object_metadata: ObjectMetadata,
    if_match: str | None,
    if_none_match: str | None,
) -> dict[str, Any]:
    names.segments(key)
    condition = await objects.expected(ctx, bucket, key, if_match, if_none_match)
    written = await copy_bytes(ctx, source, 0, source.identity.size, temporary_files.work(ctx))
    await place(ctx, bucket, key, written, object_metadata, condition)
    result = {"ETag": object_headers.quoted(written.etag), "LastModified": written.identity.modified}
    shown = storage.members(storage.from_stored(object_metadata.storage))
    return {
        "CopyObjectResult": {**result, **object_headers.checksum_members(object_metadata.checksums)},
        **shown,
    }


_ONTO_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the"
    " object's metadata, storage class, website redirect location or encryption attributes."
)
